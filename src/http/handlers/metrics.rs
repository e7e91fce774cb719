//! `GET /metrics`: what a monitoring program asks for every few seconds (second contract, section 24), as Prometheus's
//! text format 0.0.4. All of it is in memory: what is told of drives is what was seen of them last.

use std::fmt::{Display, Write as _};

use tiny_http::ext::Body;

use crate::app::App;
use crate::clock;
use crate::error::Result;
use crate::http::answer::other_answer;
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::metrics::{self, FTP_RECEIVED, FTP_SENT, SIGN_IN_FAILURES, THUMBS_FAILED, THUMBS_MADE};
use crate::system::Sample;

/// What the format is called.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

other_answer!(/// Measures, one a line.
    Exposition, 200: "Measures, in Prometheus's text format." in "text/plain");

/// `GET /metrics`: how larder and its drive are, in numbers.
///
/// Errors: `Store`.
pub fn tell(call: &mut Call<'_>, (): ()) -> Result<Exposition> {
    let app = call.app;
    let sample = app.resources.known();
    let mut page = Page(String::new());
    of_requests(&mut page, app);
    of_work(&mut page, app)?;
    of_drives(&mut page, app, &sample);
    of_board(&mut page, &sample);
    let reply = Reply::new(200, Body::Bytes(page.0.into_bytes().into()))
        .with("Content-Type", FORMAT)
        .with("Cache-Control", "no-store");
    Ok(Exposition(reply))
}

/// That larder is up, who comes, and what they are answered.
fn of_requests(page: &mut Page, app: &App) {
    let traffic = metrics::traffic();
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    page.one("larder_up", "gauge", "1 while larder answers.", &1);
    let about = ("larder_build_info", "gauge", "Which larder this is.");
    page.family(about, &[(version, &1)]);
    let connections = traffic.connections + app.sessions.ids().len() as u64;
    page.one("larder_connections", "gauge", "Connections over HTTP and FTP.", &connections);
    let [good, elsewhere, refused, failed] = metrics::answers();
    let about =
        ("larder_requests_total", "counter", "Requests over HTTP, by the class of the answer.");
    page.family(
        about,
        &[
            ("{class=\"2xx\"}", &good),
            ("{class=\"3xx\"}", &elsewhere),
            ("{class=\"4xx\"}", &(refused + traffic.refused)),
            ("{class=\"5xx\"}", &(failed + traffic.turned_away)),
        ],
    );
    let transfers = metrics::TRANSFERS.get() + app.sessions.transfers();
    page.one(
        "larder_transfers",
        "gauge",
        "Uploads, downloads and other long answers under way.",
        &transfers,
    );
    let received = traffic.received_bytes + FTP_RECEIVED.get();
    page.one(
        "larder_bytes_received_total",
        "counter",
        "Bytes received over HTTP, and as files over FTP.",
        &received,
    );
    let sent = traffic.sent_bytes + FTP_SENT.get();
    page.one(
        "larder_bytes_sent_total",
        "counter",
        "Bytes sent over HTTP, and as files over FTP.",
        &sent,
    );
    let failures = SIGN_IN_FAILURES.get();
    page.one(
        "larder_signin_failures_total",
        "counter",
        "Wrong names, passwords and codes, at every door.",
        &failures,
    );
}

/// What larder is at.
///
/// Errors: `Store`.
fn of_work(page: &mut Page, app: &App) -> Result<()> {
    let jobs = app.jobs.running();
    page.one("larder_jobs_running", "gauge", "Jobs that go on.", &jobs);
    let about = ("larder_thumbs_total", "counter", "Small pictures, by what came of them.");
    page.family(
        about,
        &[("{result=\"made\"}", &THUMBS_MADE.get()), ("{result=\"failed\"}", &THUMBS_FAILED.get())],
    );
    let uploads = app.vault.uploads_open();
    page.one(
        "larder_uploads_open",
        "gauge",
        "Uploads that are begun and can be gone on with.",
        &uploads,
    );
    let links = if app.config.settings().links { app.links.count_open(clock::now())? } else { 0 };
    page.one("larder_links_open", "gauge", "Links that open.", &links);
    Ok(())
}

/// The drives, as far as anybody knows.
fn of_drives(page: &mut Page, app: &App, sample: &Sample) {
    if sample.storage_present && sample.disk_total_bytes > 0 {
        let about = ("larder_drive_bytes", "gauge", "Space where the share is.");
        page.family(
            about,
            &[
                ("{kind=\"total\"}", &sample.disk_total_bytes),
                ("{kind=\"free\"}", &sample.disk_free_bytes),
            ],
        );
    }
    if let Some(bytes) = app.vault.trash_bytes() {
        page.one(
            "larder_trash_bytes",
            "gauge",
            "Bytes in the trash, when it was weighed last.",
            &bytes,
        );
    }
    let is_present = u8::from(sample.storage_present);
    page.one(
        "larder_drive_present",
        "gauge",
        "1 while the drive with the share is there.",
        &is_present,
    );
    let written: Vec<(String, u64)> = sample
        .written
        .iter()
        .map(|drive| (format!("{{drive=\"{}\"}}", escaped(&drive.drive)), drive.bytes))
        .collect();
    let samples: Vec<(&str, &dyn Display)> =
        written.iter().map(|(labels, bytes)| (labels.as_str(), bytes as &dyn Display)).collect();
    let about = (
        "larder_written_bytes_today",
        "gauge",
        "Bytes written to each drive today, by any program.",
    );
    page.family(about, &samples);
}

/// The board, where it tells.
fn of_board(page: &mut Page, sample: &Sample) {
    if let Some(degrees) = sample.temperature {
        page.one("larder_temperature_celsius", "gauge", "Temperature of the processor.", &degrees);
    }
    if let Some(supply) = sample.power_supply {
        let has_low_voltage = u8::from(supply.under_voltage);
        page.one(
            "larder_under_voltage",
            "gauge",
            "1 while the voltage is too low.",
            &has_low_voltage,
        );
        let is_throttled = u8::from(supply.throttled);
        page.one(
            "larder_throttled",
            "gauge",
            "1 while the processor is slowed down.",
            &is_throttled,
        );
    }
}

/// What is written.
struct Page(String);

impl Page {
    /// A family of one sample without labels.
    fn one(&mut self, name: &str, kind: &str, help: &str, value: &dyn Display) {
        self.family((name, kind, help), &[("", value)]);
    }

    /// A family: its name, its kind and what it is; its samples by their labels. Without samples nothing.
    fn family(&mut self, about: (&str, &str, &str), samples: &[(&str, &dyn Display)]) {
        let (name, kind, help) = about;
        if samples.is_empty() {
            return;
        }
        // Writing into a `String` cannot fail.
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _infallible = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// A value as it stands in a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_says_what_it_is_before_its_samples_and_none_says_nothing() {
        let mut page = Page(String::new());
        page.family(("none", "gauge", "Nothing."), &[]);
        page.family(("a_total", "counter", "All."), &[("{b=\"c\"}", &u64::MAX), ("", &41.5)]);
        let wanted = "# HELP a_total All.\n# TYPE a_total counter\na_total{b=\"c\"} 18446744073709551615\na_total 41.5\n";
        assert_eq!(page.0, wanted);
    }

    #[test]
    fn no_label_breaks_out_of_its_quotes() {
        assert_eq!(escaped("s\"d\\a\n"), "s\\\"d\\\\a\\n");
    }
}
