//! The thread that speaks multicast DNS: in each network by a `Link` of its own, under names that are the same in all.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::AsFd;

use super::link::{Heard, Letter, Link, Own};
use super::message::Name;
use super::networks::{self, Network};
use super::settled::Settled;
use super::sockets::{Mouth, News};
use super::table::{self, Names, Numbered};
use super::{Shared, Wish, Word};
use crate::{limits, system};

/// A network, and what is said there.
struct Room {
    /// Which one.
    network: Network,
    /// The ways to it, one for each family of addresses.
    mouths: Vec<Door>,
}

/// One way into a network.
struct Door {
    /// The socket.
    mouth: Mouth,
    /// What is said through it.
    link: Link,
    /// Packets read since `counted`.
    heard: usize,
    /// Since when they are counted.
    counted: Instant,
}

/// What the thread has.
pub struct Responder {
    /// What it shares with those who tell it something.
    shared: Arc<Shared>,
    /// What is wanted; nothing before it was told.
    wish: Option<Wish>,
    /// The names of now.
    names: Names,
    /// The networks.
    rooms: Vec<Room>,
    /// What the machine says anywhere.
    own: Own,
    /// When names turned out to be another's.
    conflicts: VecDeque<Instant>,
    /// Which label others have heard of.
    settled: Settled,
    /// What was told to the owner: once is enough.
    told: BTreeSet<String>,
    /// Where packets are read into.
    space: Vec<u8>,
    /// When the networks are to be looked at again.
    look_at: Option<Instant>,
}

impl Responder {
    /// Before anything is wanted.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            wish: None,
            names: Names { host: Numbered::host(""), instance: Numbered::instance("") },
            rooms: Vec::new(),
            own: Own::default(),
            conflicts: VecDeque::new(),
            settled: Settled::default(),
            told: BTreeSet::new(),
            space: vec![0; limits::MDNS_HEARD_BYTES_MAX],
            look_at: None,
        }
    }

    /// Speaks until nothing is wanted any more.
    pub fn run(mut self) {
        let news = match News::open() {
            Ok(news) => Some(news),
            Err(cause) => {
                self.tell(&format!("changes of the network are not noticed: {cause}"));
                None
            }
        };
        loop {
            match self.shared.take() {
                Some(Word::Announce(wish)) => self.follow(wish),
                Some(Word::FallSilent) => return self.fall_silent(),
                None => {}
            }
            self.wait(news.as_ref());
            let now = Instant::now();
            if self.look_at.is_some_and(|at| at <= now) {
                self.look(now);
            }
            self.read(now);
            self.speak(Instant::now());
        }
    }

    /// Follows what is wanted from now on.
    fn follow(&mut self, new: Wish) {
        // A name that was chosen anew is tried as it is; a number that others have left is not gone back from.
        if self.names.host.plain() != new.host {
            self.names.host = Numbered::host(&new.host);
            self.settled = Settled::default();
        }
        if self.names.instance.plain() != new.instance {
            self.names.instance = Numbered::instance(&new.instance);
        }
        self.wish = Some(new);
        self.look(Instant::now());
    }

    /// Takes everything back.
    fn fall_silent(self) {
        let now = Instant::now();
        for room in self.rooms {
            leave(room, now);
        }
    }

    /// Looks which networks there are, and says in each what is to be said.
    fn look(&mut self, now: Instant) {
        self.look_at = None;
        let Some(wish) = &self.wish else { return };
        let interfaces = system::interfaces();
        let wanted = networks::announced(&interfaces, wish.listens);
        let all = interfaces.iter().flat_map(|interface| &interface.addresses);
        self.own.addresses = all.map(|(ip, _)| *ip).collect();
        let is_wanted =
            |room: &Room| wanted.iter().any(|network| is_reached_alike(network, &room.network));
        let rooms = std::mem::take(&mut self.rooms).into_iter();
        let (kept, gone): (Vec<Room>, Vec<Room>) = rooms.partition(is_wanted);
        self.rooms = kept;
        for room in gone {
            leave(room, now);
        }
        for network in wanted {
            let known = self.rooms.iter_mut().find(|room| room.network.index == network.index);
            if let Some(known) = known {
                known.network = network;
            } else if let Some(room) = self.enter(network, now) {
                self.rooms.push(room);
            }
        }
        self.say(now, now);
    }

    /// Opens the ways into a network; none where there is no way, which the owner is told.
    fn enter(&mut self, network: Network, now: Instant) -> Option<Room> {
        let (mouths, trouble) = Mouth::open_all(&network);
        if let Some(cause) = trouble {
            self.tell(&format!(
                "not announced in the network at {}: port 5353: {cause}; everything else works",
                network.name
            ));
        }
        let sent_max = limits::MDNS_SENT_MAX / mouths.len().max(1);
        let open = |mouth| Door { mouth, link: Link::new(sent_max), heard: 0, counted: now };
        let mouths: Vec<Door> = mouths.into_iter().map(open).collect();
        (!mouths.is_empty()).then_some(Room { network, mouths })
    }

    /// Has each network told what is to be said there by these names; new ones are asked for no sooner than `from`.
    fn say(&mut self, now: Instant, from: Instant) {
        let Some(wish) = &self.wish else { return };
        self.own.records.clear();
        for room in &mut self.rooms {
            let records = table::records(&self.names, &room.network.ips(), &wish.services);
            self.own.records.extend_from_slice(&records);
            for door in &mut room.mouths {
                let letters = door.link.change(records.clone(), now, from);
                door.send(letters);
            }
        }
    }

    /// Waits for a packet, for news, for a wish, or for what is due.
    fn wait(&mut self, news: Option<&News>) {
        let now = Instant::now();
        let doors = || self.rooms.iter().flat_map(|room| &room.mouths);
        let quiet = doors()
            .filter(|door| !door.is_read(now))
            .map(|door| door.counted + limits::MDNS_WINDOW);
        let steps = doors().filter_map(|door| door.link.next());
        let due = steps.chain(self.look_at).chain(self.settled.next()).chain(quiet).min();
        let rest = due.map(|due| {
            // Up to the next millisecond, so that it is due then.
            let rest = due.saturating_duration_since(now) + Duration::from_millis(1);
            Timespec::try_from(rest).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 })
        });
        let mut polled = vec![PollFd::new(self.shared.bell(), PollFlags::IN)];
        polled.extend(news.map(|news| PollFd::new(news.descriptor(), PollFlags::IN)));
        let read = doors().filter(|door| door.is_read(now));
        polled.extend(
            read.map(|door| PollFd::from_borrowed_fd(door.mouth.socket.as_fd(), PollFlags::IN)),
        );
        let _interrupted_is_as_good = rustix::event::poll(&mut polled, rest.as_ref());
        let has_rung = |at: usize| polled.get(at).is_some_and(|fd| !fd.revents().is_empty());
        let (is_wished, is_news) = (has_rung(0), news.is_some() && has_rung(1));
        if is_wished {
            self.shared.answer_bell();
        }
        if let Some(news) = news.filter(|_| is_news) {
            news.take();
            self.look_at.get_or_insert(now + limits::NETWORK_SETTLE_TIME);
        }
    }

    /// Takes what has come in.
    fn read(&mut self, now: Instant) {
        let mut lost = Vec::new();
        for room in &mut self.rooms {
            for door in &mut room.mouths {
                lost.extend(door.read(&mut self.space, &room.network, &self.own, now));
            }
        }
        for name in lost {
            self.lose(&name, now);
        }
    }

    /// Takes the next name instead of one that is another's.
    fn lose(&mut self, name: &Name, now: Instant) {
        let lately =
            |at: &Instant| now.saturating_duration_since(*at) < limits::MDNS_CONFLICTS_TIME;
        self.conflicts.retain(lately);
        self.conflicts.push_back(now);
        let is_quarrel = self.conflicts.len() >= limits::MDNS_CONFLICTS_MAX;
        let from = if is_quarrel { now + limits::MDNS_CONFLICT_REST } else { now };
        if *name == self.names.host_name() {
            self.names.host.advance();
        } else if self.own.records.iter().any(|record| record.name == *name) {
            self.names.instance.advance();
        }
        self.say(now, from);
    }

    /// Says what is due in each network.
    fn speak(&mut self, now: Instant) {
        for door in self.rooms.iter_mut().flat_map(|room| &mut room.mouths) {
            let letters = door.link.tick(now);
            door.send(letters);
        }
        let mut links = self.rooms.iter().flat_map(|room| &room.mouths).map(|door| &door.link);
        let is_settled = !self.rooms.is_empty() && links.all(Link::is_settled);
        let label = self.names.host.label();
        if is_settled && !self.names.host.is_plain() {
            let plain = self.names.host.plain();
            self.tell(&format!("announced as {label}.local: another has the name {plain}.local"));
        }
        if let Some(label) = self.settled.keep(is_settled.then_some(&label), now) {
            self.shared.settle(&label);
        }
    }

    /// Tells the owner, once.
    fn tell(&mut self, line: &str) {
        if self.told.len() < limits::MDNS_TOLD_MAX && self.told.insert(line.to_owned()) {
            self.shared.complain(line);
        }
    }
}

/// Takes back what was said in a network; one that is gone does not hear it.
fn leave(mut room: Room, now: Instant) {
    for door in &mut room.mouths {
        let letters = door.link.leave(now);
        door.send(letters);
    }
}

/// Whether the same sockets serve both.
fn is_reached_alike(a: &Network, b: &Network) -> bool {
    let has = |network: &Network, is_v4: bool| {
        network.addresses.iter().any(|(ip, _)| ip.is_ipv4() == is_v4)
    };
    a.index == b.index
        && a.name == b.name
        && [true, false].iter().all(|is| has(a, *is) == has(b, *is))
}

impl Door {
    /// Whether more is read now.
    fn is_read(&self, now: Instant) -> bool {
        self.heard < limits::MDNS_HEARD_MAX
            || now.saturating_duration_since(self.counted) >= limits::MDNS_WINDOW
    }

    /// Reads what has come in, within the bound; gives a name that turned out to be another's.
    fn read(
        &mut self,
        space: &mut [u8],
        network: &Network,
        own: &Own,
        now: Instant,
    ) -> Option<Name> {
        if now.saturating_duration_since(self.counted) >= limits::MDNS_WINDOW {
            (self.heard, self.counted) = (0, now);
        }
        while self.heard < limits::MDNS_HEARD_MAX {
            let (length, from) = self.mouth.socket.recv_from(space).ok()?;
            self.heard += 1;
            let bytes = &space[..length];
            let is_beside = networks::is_beside(&network.addresses, from.ip());
            let Heard { letters, lost } = self.link.hear(bytes, from, is_beside, own, now);
            self.send(letters);
            if lost.is_some() {
                return lost;
            }
        }
        None
    }

    /// Sends letters.
    fn send(&self, letters: Vec<Letter>) {
        for letter in letters {
            self.mouth.send(letter.to, &letter.bytes);
        }
    }
}
