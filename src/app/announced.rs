//! What larder announces of itself in the local network: what is served, as the settings in force have it.

use std::net::{IpAddr, SocketAddr};

use super::App;
use crate::discovery::{self, Discovery, Service, Wish};
use crate::door::Door;
use crate::settings::{Https, Settings};

/// Who announces, and where the pages are.
pub struct Announcer {
    /// Who announces.
    discovery: Discovery,
    /// Where HTTP listens.
    http: SocketAddr,
    /// Where HTTP is spoken over TLS alone, in addition.
    tls_port: Option<u16>,
}

/// A form in which something is served where HTTP is.
struct Form {
    /// By which protocol, as it is registered.
    protocol: &'static str,
    /// Where it begins.
    path: &'static str,
    /// Whether it is over TLS.
    is_secure: bool,
    /// Whether it is answered beside what HTTP as a whole decides.
    is_served: fn(&Settings) -> bool,
}

/// All of them.
const FORMS: [Form; 4] = [
    Form { protocol: "_http", path: "/", is_secure: false, is_served: |_| true },
    Form { protocol: "_https", path: "/", is_secure: true, is_served: |_| true },
    Form { protocol: "_webdav", path: "/dav/", is_secure: false, is_served: is_plain_dav_on },
    Form { protocol: "_webdavs", path: "/dav/", is_secure: true, is_served: is_dav_on },
];

/// Whether `/dav/` is answered.
fn is_dav_on(settings: &Settings) -> bool {
    settings.dav.is_on
}

/// The same without TLS.
fn is_plain_dav_on(settings: &Settings) -> bool {
    is_dav_on(settings) && !settings.dav.needs_tls
}

impl App {
    /// From now on larder is announced as the settings have it, where HTTP listens.
    pub fn hang_discovery(&self, discovery: Discovery, http: SocketAddr, tls_port: Option<u16>) {
        let _only_the_first = self.announcer.set(Announcer { discovery, http, tls_port });
        self.announce();
    }

    /// Announces what is served now. To be called whenever that may be something else.
    pub fn announce(&self) {
        if let Some(announcer) = self.announcer.get() {
            announcer.discovery.follow(|| {
                let ftp = self.ftp().ok().and_then(Door::address);
                announcer.wish(&self.config.settings(), ftp)
            });
        }
    }

    /// Where a browser in the local network finds larder by its name, unless another has the name; nothing while it is
    /// not announced.
    pub fn announced_url(&self) -> Option<String> {
        let announcer = self.announcer.get()?;
        let wish = announcer.wish(&self.config.settings(), None)?;
        let url = || format!("http://{}.local:{}/", wish.host, announcer.http.port());
        discovery::has_network(wish.listens).then(url)
    }

    /// Takes back what was announced, for good.
    pub fn fall_silent(&self) {
        if let Some(announcer) = self.announcer.get() {
            announcer.discovery.end();
        }
    }
}

impl Announcer {
    /// What is to be announced with these settings, while FTP listens there; nothing if nobody is to know, or if nobody
    /// else could come.
    fn wish(&self, settings: &Settings, ftp: Option<SocketAddr>) -> Option<Wish> {
        if !settings.discovery.is_on || self.http.ip().is_loopback() {
            return None;
        }
        let mut services: Vec<Service> =
            FORMS.iter().filter_map(|form| self.service(form, settings)).collect();
        services.extend(ftp.map(|at| service("_ftp", "", at.ip(), at.port())));
        Some(Wish {
            listens: self.http.ip(),
            host: settings.discovery.name.clone(),
            instance: settings.discovery.server_name.clone(),
            services,
        })
    }

    /// A form as a service, while it is answered.
    fn service(&self, form: &Form, settings: &Settings) -> Option<Service> {
        let is_closed = if form.is_secure { Https::Off } else { Https::Only };
        if settings.https.mode == is_closed || !(form.is_served)(settings) {
            return None;
        }
        let port = if form.is_secure { self.tls_port } else { None };
        let port = port.unwrap_or_else(|| self.http.port());
        Some(service(form.protocol, form.path, self.http.ip(), port))
    }
}

/// See `Service`.
const fn service(protocol: &'static str, path: &'static str, host: IpAddr, port: u16) -> Service {
    Service { protocol, path, host, port }
}
