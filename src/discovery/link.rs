//! What is asked, heard and answered in one network (RFC 6762): names are asked for before they are used, told twice,
//! defended, and taken back. Knows no socket: packets come in, letters go out, and the caller has the clock.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::message::{A, AAAA, ANY, Message, NSEC, Name, PTR, Packet, Question, Record, SRV};
use crate::limits;

/// The port of multicast DNS; who asks from another one knows only DNS.
pub const PORT: u16 = 5353;

/// How long what must wait for its turn waits before it is looked at again.
const TURN: Duration = Duration::from_millis(100);

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Letter {
    /// To whom; `None` for all.
    pub to: Option<SocketAddr>,
    /// The packet.
    pub bytes: Vec<u8>,
}

/// What the machine says in any of its networks: whoever says the same is no other.
#[derive(Debug, Default)]
pub struct Own {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The records of all its networks.
    pub records: Vec<Record>,
}

impl Own {
    /// Whether this is said by us, or might as well be: two networks of a machine are often one, and another program on
    /// it may have the same name.
    fn says(&self, record: &Record) -> bool {
        let ip = match record.kind {
            A => <[u8; 4]>::try_from(&*record.data).ok().map(IpAddr::from),
            AAAA => <[u8; 16]>::try_from(&*record.data).ok().map(IpAddr::from),
            _ => return self.records.iter().any(|own| own.is_same(record)),
        };
        ip.is_some_and(|ip| self.addresses.contains(&ip))
    }
}

/// What came of a packet.
#[derive(Debug, Default)]
pub struct Heard {
    /// What is answered at once, to one alone.
    pub letters: Vec<Letter>,
    /// A name that turned out to be another's.
    pub lost: Option<Name>,
}

/// When a record is to be told.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Not before.
    at: Instant,
    /// Whose question it answers, if it is one's alone whose known answers may still come.
    only_for: Option<IpAddr>,
}

/// A record that is told.
#[derive(Debug)]
struct Held {
    /// The record.
    record: Record,
    /// When it is to be told.
    due: Option<Due>,
    /// When it was told last, to all.
    told: Option<Instant>,
}

/// What comes next, beside answers.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It is asked whether names are free, the how many-th time.
    Probe(u8),
    /// What is held is told, likewise.
    Announce(u8),
}

/// What is told in one network.
#[derive(Debug)]
pub struct Link {
    /// The records.
    held: Vec<Held>,
    /// Names that are not ours yet.
    probing: Vec<Name>,
    /// What comes next, and when; `None` when all is told.
    step: Option<(Step, Instant)>,
    /// When packets were sent lately.
    sent: VecDeque<Instant>,
    /// How many in `MDNS_WINDOW` at most.
    sent_max: usize,
}

impl Link {
    /// Of a network where nothing is told yet, and so many packets are sent in `MDNS_WINDOW` at most.
    pub const fn new(sent_max: usize) -> Self {
        Self { held: Vec::new(), probing: Vec::new(), step: None, sent: VecDeque::new(), sent_max }
    }

    /// Tells these records from now on: takes back what is not among them, asks for names that are new, no sooner than
    /// `from`, and tells the rest.
    pub fn change(&mut self, records: Vec<Record>, now: Instant, from: Instant) -> Vec<Letter> {
        let is_as_before = records.len() == self.held.len()
            && records.iter().all(|new| self.held.iter().any(|held| held.record.is_same(new)));
        if is_as_before {
            return Vec::new();
        }
        let (before, probing) = (std::mem::take(&mut self.held), std::mem::take(&mut self.probing));
        let was_ours = |name: &Name| {
            !probing.contains(name)
                && before.iter().any(|held| held.record.is_unique && held.record.name == *name)
        };
        for record in records {
            if record.is_unique && !was_ours(&record.name) && !self.probing.contains(&record.name) {
                self.probing.push(record.name.clone());
            }
            let old = before.iter().find(|held| held.record.is_same(&record));
            let (due, told) = old.map_or((None, None), |old| (old.due, old.told));
            self.held.push(Held { record, due, told });
        }
        let is_kept = |old: &Held| self.held.iter().any(|held| held.record.is_same(&old.record));
        let gone = before.iter().filter(|old| old.told.is_some() && !is_kept(old));
        let gone: Vec<&Record> = gone.map(|held| &held.record).collect();
        let letters = self.goodbye(&gone, now);
        let first = if self.probing.is_empty() {
            (Step::Announce(0), now)
        } else {
            (Step::Probe(0), from.max(now) + between((Duration::ZERO, limits::MDNS_PROBE_TIME)))
        };
        self.step = Some(first);
        letters
    }

    /// Takes everything back.
    pub fn leave(&mut self, now: Instant) -> Vec<Letter> {
        self.change(Vec::new(), now, now)
    }

    /// Whether every name is ours.
    pub fn is_settled(&self) -> bool {
        self.probing.is_empty()
    }

    /// When `tick` has something to do; `None` for never, if nothing is heard.
    pub fn next(&self) -> Option<Instant> {
        let dues = self.held.iter().filter_map(|held| held.due.map(|due| due.at));
        dues.chain(self.step.map(|(_, at)| at)).min()
    }

    /// Does what is due: asks for names, tells what is held, answers.
    pub fn tick(&mut self, now: Instant) -> Vec<Letter> {
        let mut letters = Vec::new();
        if let Some((step, _)) = self.step.filter(|(_, at)| *at <= now) {
            if self.has_turn(now) {
                letters.extend(self.go_on(step, now));
            } else {
                self.step = Some((step, now + TURN));
            }
        }
        letters.extend(self.answer_due(now));
        letters
    }

    /// Takes a packet. `is_beside`: whether whoever sent it is in this network, as far as addresses tell.
    pub fn hear(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        is_beside: bool,
        own: &Own,
        now: Instant,
    ) -> Heard {
        let Some(message) = Message::read(bytes) else { return Heard::default() };
        if message.is_answer {
            // Who knows multicast DNS answers from its port (RFC 6762, 6).
            let lost = if from.port() == PORT { self.judge(&message, own, now) } else { None };
            return Heard { letters: Vec::new(), lost };
        }
        self.compare_claims(&message, own, now);
        if from.port() == PORT {
            let letters = self.answer(&message, from, is_beside, now);
            return Heard { letters, lost: None };
        }
        let letters = if is_beside { self.answer_plainly(&message, from, now) } else { None };
        Heard { letters: letters.into_iter().collect(), lost: None }
    }

    /// One step of those that precede rest.
    fn go_on(&mut self, step: Step, now: Instant) -> Vec<Letter> {
        match step {
            Step::Probe(count) if count < limits::MDNS_PROBES => {
                self.step = Some((Step::Probe(count + 1), now + limits::MDNS_PROBE_TIME));
                vec![self.probe(now)]
            }
            Step::Probe(_) => {
                self.probing.clear();
                self.announce(0, now)
            }
            Step::Announce(count) => self.announce(count, now),
        }
    }

    /// Asks whether names are free, and says what is to be said of them.
    fn probe(&mut self, now: Instant) -> Letter {
        let mut packet = Packet::question();
        for name in &self.probing {
            // Answered to all: what comes to this port for one alone may be heard by another program.
            let _fits = packet.ask(&Question { name: name.clone(), kind: ANY, is_for_one: false });
        }
        let claims = self.held.iter().map(|held| &held.record).filter(|record| {
            record.is_unique && record.kind != NSEC && self.probing.contains(&record.name)
        });
        // Too many for one packet there are not; then the rest is in the announcement.
        for record in claims {
            let _fits = packet.claim(record);
        }
        self.sent.push_back(now);
        Letter { to: None, bytes: packet.finish() }
    }

    /// Tells everything.
    fn announce(&mut self, count: u8, now: Instant) -> Vec<Letter> {
        let more = count + 1 < limits::MDNS_ANNOUNCEMENTS;
        self.step = more.then(|| (Step::Announce(count + 1), now + limits::MDNS_ANNOUNCE_TIME));
        let all: Vec<usize> = (0..self.held.len()).filter(|at| self.may_tell(*at)).collect();
        self.tell(&all, now)
    }

    /// Whether a record may be told: neither its name nor the one that it leads to may be another's.
    fn may_tell(&self, at: usize) -> bool {
        let record = &self.held[at].record;
        let is_ours = |name: &Name| !self.probing.contains(name);
        is_ours(&record.name) && record.target().as_ref().is_none_or(is_ours)
    }

    /// Whether one more packet may be sent now.
    fn has_turn(&mut self, now: Instant) -> bool {
        self.turns(now) > 0
    }

    /// How many packets may be sent now.
    fn turns(&mut self, now: Instant) -> usize {
        let is_over = |sent: &Instant| now.saturating_duration_since(*sent) >= limits::MDNS_WINDOW;
        while self.sent.front().is_some_and(is_over) {
            self.sent.pop_front();
        }
        self.sent_max.saturating_sub(self.sent.len())
    }

    /// Answers those whose time has come, in one go.
    fn answer_due(&mut self, now: Instant) -> Vec<Letter> {
        let is_due = |held: &Held| held.due.is_some_and(|due| due.at <= now);
        let due: Vec<usize> = (0..self.held.len()).filter(|at| is_due(&self.held[*at])).collect();
        if due.is_empty() {
            return Vec::new();
        }
        if !self.has_turn(now) {
            for at in due {
                self.held[at].due = Some(Due { at: now + TURN, only_for: None });
            }
            return Vec::new();
        }
        for at in &due {
            self.held[*at].due = None;
        }
        let told: Vec<usize> = due.into_iter().filter(|at| self.may_tell(*at)).collect();
        self.tell(&told, now)
    }

    /// Tells records to all, and what is of use beside them; what takes more packets than may be sent now comes later.
    fn tell(&mut self, told: &[usize], now: Instant) -> Vec<Letter> {
        if told.is_empty() {
            return Vec::new();
        }
        let mut letters = Vec::new();
        let mut packet = Packet::answer(0);
        let turns = self.turns(now);
        for at in told {
            let is_last = letters.len() + 1 >= turns;
            let held = &mut self.held[*at];
            if !packet.say(&held.record) {
                if is_last {
                    held.due = Some(Due { at: now + TURN, only_for: None });
                    continue;
                }
                letters.push(std::mem::replace(&mut packet, Packet::answer(0)));
                let _a_record_fits_alone = packet.say(&held.record);
            }
            (held.told, held.due) = (Some(now), None);
        }
        for at in self.useful_beside(told) {
            if packet.mention(&self.held[at].record) {
                self.held[at].told = Some(now);
            }
        }
        letters.push(packet);
        self.sent.extend(letters.iter().map(|_| now));
        letters.into_iter().map(|packet| Letter { to: None, bytes: packet.finish() }).collect()
    }

    /// What whoever hears of these records asks next (RFC 6763, 12).
    fn useful_beside(&self, told: &[usize]) -> Vec<usize> {
        let mut useful = Vec::new();
        // From a type to a service, from a service to the machine.
        for round in [PTR, SRV] {
            let known = told.iter().chain(&useful).map(|at| &self.held[*at].record);
            let targets: Vec<Name> =
                known.filter(|record| record.kind == round).filter_map(Record::target).collect();
            let found = (0..self.held.len()).filter(|at| {
                let record = &self.held[*at].record;
                record.is_unique && targets.contains(&record.name) && self.may_tell(*at)
            });
            let found: Vec<usize> =
                found.filter(|at| !told.contains(at) && !useful.contains(at)).collect();
            useful.extend(found);
        }
        useful
    }

    /// The records that answer a question: for a name of ours that has none of that kind, that it has not.
    fn answers_to(&self, question: &Question) -> Vec<usize> {
        let of_name = |at: &usize| self.held[*at].record.name == question.name;
        let of_name: Vec<usize> =
            (0..self.held.len()).filter(of_name).filter(|at| self.may_tell(*at)).collect();
        let kind = |at: &usize| self.held[*at].record.kind;
        let wanted: Vec<usize> =
            of_name.iter().copied().filter(|at| question.wants(kind(at))).collect();
        if wanted.is_empty() {
            return of_name.into_iter().filter(|at| kind(at) == NSEC).collect();
        }
        wanted
    }

    /// Answers who knows multicast DNS: to all, but for what all have just heard and one alone wants to hear again.
    fn answer(
        &mut self,
        message: &Message,
        from: SocketAddr,
        is_beside: bool,
        now: Instant,
    ) -> Vec<Letter> {
        if message.questions.is_empty() {
            self.drop_known(message, from.ip());
        }
        let is_probe = !message.claims.is_empty();
        let mut alone = Vec::new();
        for question in &message.questions {
            for at in self.answers_to(question) {
                if is_known(message, &self.held[at].record) {
                    continue;
                }
                let is_fresh = self.was_told_within_quarter(at, now);
                if question.is_for_one && is_beside && is_fresh && !is_probe {
                    alone.push(at);
                } else {
                    self.put_off(at, message, from.ip(), now);
                }
            }
        }
        self.answer_alone(&alone, from, now).into_iter().collect()
    }

    /// Answers somebody alone.
    fn answer_alone(&mut self, told: &[usize], to: SocketAddr, now: Instant) -> Option<Letter> {
        if told.is_empty() || !self.has_turn(now) {
            return None;
        }
        let mut packet = Packet::answer(0);
        for at in told {
            let _what_fits = packet.say(&self.held[*at].record);
        }
        self.sent.push_back(now);
        Some(Letter { to: Some(to), bytes: packet.finish() })
    }

    /// Has a record told when it is time: others that answer too are not to do it at once, and nothing is told again
    /// and again.
    fn put_off(&mut self, at: usize, message: &Message, from: IpAddr, now: Instant) {
        let is_probe = !message.claims.is_empty();
        let held = &mut self.held[at];
        let delay = match (message.is_truncated, held.record.is_unique) {
            (true, _) => between(limits::MDNS_TRUNCATED_DELAY),
            (false, false) => between(limits::MDNS_SHARED_DELAY),
            (false, true) => Duration::ZERO,
        };
        let rest = if is_probe { limits::MDNS_DEFEND_TIME } else { limits::MDNS_REPEAT_TIME };
        let at = held.told.map_or(now, |told| told + rest).max(now + delay);
        let only_for = message.is_truncated.then_some(from);
        held.due = Some(match held.due {
            Some(due) => Due {
                at: due.at.min(at),
                only_for: due.only_for.filter(|_| only_for == due.only_for),
            },
            None => Due { at, only_for },
        });
    }

    /// Does not tell what somebody knows, as they say now, whose question it was alone.
    fn drop_known(&mut self, message: &Message, from: IpAddr) {
        for held in &mut self.held {
            let is_theirs = held.due.is_some_and(|due| due.only_for == Some(from));
            if is_theirs && is_known(message, &held.record) {
                held.due = None;
            }
        }
    }

    /// Whether all have heard a record lately.
    fn was_told_within_quarter(&self, at: usize, now: Instant) -> bool {
        let Held { record, told, .. } = &self.held[at];
        let quarter = Duration::from_secs(u64::from(record.ttl_s / 4));
        told.is_some_and(|told| now.saturating_duration_since(told) < quarter)
    }

    /// Answers who knows only DNS: alone, with their question, and for a short time (RFC 6762, 6.7).
    fn answer_plainly(
        &mut self,
        message: &Message,
        to: SocketAddr,
        now: Instant,
    ) -> Option<Letter> {
        let mut told: Vec<usize> = Vec::new();
        for question in &message.questions {
            let new: Vec<usize> = self.answers_to(question);
            told.extend(new.into_iter().filter(|at| !told.contains(at)).collect::<Vec<_>>());
        }
        if told.is_empty() || !self.has_turn(now) {
            return None;
        }
        let mut packet = Packet::answer(message.id);
        for question in &message.questions {
            // Whoever knows only DNS asks one thing. What does not go back whole is not answered.
            if !packet.ask(&Question { is_for_one: false, ..question.clone() }) {
                return None;
            }
        }
        let plain = |at: usize| {
            let record = self.held[at].record.clone();
            let ttl_s = record.ttl_s.min(limits::MDNS_LEGACY_TTL_S);
            Record { is_unique: false, ttl_s, ..record }
        };
        let beside = self.useful_beside(&told);
        for at in &told {
            let _what_fits = packet.say(&plain(*at));
        }
        for at in beside {
            let _what_fits = packet.mention(&plain(at));
        }
        self.sent.push_back(now);
        Some(Letter { to: Some(to), bytes: packet.finish() })
    }

    /// Judges what others say of names that we have, or want; gives one that is another's.
    fn judge(&mut self, message: &Message, own: &Own, now: Instant) -> Option<Name> {
        for record in message.answers.iter().chain(&message.others) {
            if record.ttl_s == 0 {
                self.tell_again(record, now);
                continue;
            }
            let of_ours = |held: &&Held| held.record.is_unique && held.record.name == record.name;
            let mut ours = self.held.iter().filter(of_ours).peekable();
            let is_another =
                ours.peek().is_some() && !matches!(record.kind, 0 | NSEC) && !own.says(record);
            if !is_another {
                continue;
            }
            if self.probing.contains(&record.name) {
                return Some(record.name.clone());
            }
            if ours.any(|held| held.record.kind == record.kind) {
                // Whoever had it first says so when it is asked for anew (RFC 6762, 9).
                self.probing.push(record.name.clone());
                self.probe_from(now);
            }
        }
        None
    }

    /// Asks for names from the first time on, then or when they were to be asked for anyway: a rest that conflicts have
    /// earned is not ended by more of them.
    fn probe_from(&mut self, at: Instant) {
        let waits = self.step.filter(|(step, _)| matches!(step, Step::Probe(0)));
        self.step = Some((Step::Probe(0), waits.map_or(at, |(_, until)| until.max(at))));
    }

    /// Somebody took back what we say too.
    fn tell_again(&mut self, record: &Record, now: Instant) {
        let is_same = |held: &&mut Held| held.told.is_some() && held.record.is_same(record);
        if let Some(held) = self.held.iter_mut().find(is_same) {
            let at = now + between(limits::MDNS_SHARED_DELAY);
            held.due = Some(Due { at, only_for: None });
        }
    }

    /// Leaves a name for now to another who asks for it at the same moment and says more of it (RFC 6762, 8.2).
    fn compare_claims(&mut self, message: &Message, own: &Own, now: Instant) {
        let is_behind = self.probing.iter().any(|name| {
            let theirs: Vec<&Record> =
                message.claims.iter().filter(|claim| claim.name == *name).collect();
            let ours = self.held.iter().map(|held| &held.record);
            let ours = ours.filter(|record| record.name == *name && record.kind != NSEC).collect();
            !theirs.iter().all(|claim| own.says(claim)) && sorted(theirs) > sorted(ours)
        });
        if is_behind {
            self.probe_from(now + limits::MDNS_DEFER_TIME);
        }
    }

    /// Takes records back, each by itself: those of others of that name stay.
    fn goodbye(&mut self, records: &[&Record], now: Instant) -> Vec<Letter> {
        let mut letters = Vec::new();
        let mut packet = Packet::answer(0);
        for record in records {
            let last = Record { ttl_s: 0, is_unique: false, ..(*record).clone() };
            if !packet.say(&last) {
                letters.push(std::mem::replace(&mut packet, Packet::answer(0)));
                let _a_record_fits_alone = packet.say(&last);
            }
        }
        letters.push(packet);
        letters.retain(|packet| !packet.is_empty());
        self.sent.extend(letters.iter().map(|_| now));
        letters.into_iter().map(|packet| Letter { to: None, bytes: packet.finish() }).collect()
    }
}

/// Whether somebody knows a record, and will for long enough (RFC 6762, 7.1).
fn is_known(message: &Message, record: &Record) -> bool {
    let says = |known: &Record| known.is_same(record) && known.ttl_s >= record.ttl_s / 2;
    message.answers.iter().any(says)
}

/// What is said of a name in the order in which both sides compare it.
fn sorted(records: Vec<&Record>) -> Vec<(u16, &[u8])> {
    let mut told: Vec<(u16, &[u8])> =
        records.into_iter().map(|record| (record.kind, &*record.data)).collect();
    told.sort_unstable();
    told
}

/// Some time between these.
fn between((least, most): (Duration, Duration)) -> Duration {
    let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or_default();
    let dice = RandomState::new().hash_one(0);
    least + Duration::from_millis(dice % (span + 1))
}

#[cfg(test)]
mod tests;
