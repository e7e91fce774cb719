//! Messages of multicast DNS as they are on the wire (RFC 1035, 4; RFC 6762, 18). Whatever a packet claims, it is read
//! within its own bytes: names lead only backwards, so that none goes round, and counts only bound what is there.

use crate::limits;

/// An address of IPv4.
pub const A: u16 = 1;
/// The name that another one stands for.
const CNAME: u16 = 5;
/// A name that belongs to this one, such as a service of a type.
pub const PTR: u16 = 12;
/// What a service says of itself.
pub const TXT: u16 = 16;
/// An address of IPv6.
pub const AAAA: u16 = 28;
/// Where a service is.
pub const SRV: u16 = 33;
/// Which records a name has, and that it has no others.
pub const NSEC: u16 = 47;
/// In a question: all there are.
pub const ANY: u16 = 255;

/// The class of everything here: the internet.
const IN: u16 = 1;
/// The bit above the class. In a question: whoever asks would be answered alone; in a record: it replaces all others.
const TOP_BIT: u16 = 1 << 15;

/// Bytes of the head.
const HEAD_BYTES: usize = 12;
/// In the head: it is an answer.
const IS_ANSWER: u16 = 1 << 15;
/// In the head: by whom the name is kept.
const IS_AUTHORITATIVE: u16 = 1 << 10;
/// In the head: more known answers follow.
const IS_TRUNCATED: u16 = 1 << 9;
/// In the head: the kind of operation, 0 for a question.
const OPCODE: u16 = 0xf << 11;
/// In the head: what went wrong, 0 for nothing (RFC 6762, 18.11).
const FAILURE: u16 = 0xf;
/// The two bits of a length that make it a pointer.
const POINTER: u8 = 0xc0;

/// A name, as it is on the wire without pointers. Two are the same that differ in case alone.
#[derive(Clone, Debug)]
pub struct Name(Vec<u8>);

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        // Lengths are no letters.
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

impl Name {
    /// Of labels, each of which has 1 to 63 bytes.
    pub fn of(labels: &[&str]) -> Self {
        let mut wire = Vec::new();
        for label in labels {
            let label = &label.as_bytes()[..label.len().min(limits::LABEL_BYTES_MAX)];
            wire.push(u8::try_from(label.len()).unwrap_or_default());
            wire.extend_from_slice(label);
        }
        wire.push(0);
        Self(wire)
    }

    /// As it is on the wire.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// Where each of its labels begins, but for the empty one at the end.
    fn labels(&self) -> impl Iterator<Item = usize> {
        let next =
            |at: &usize| Some(at + 1 + usize::from(self.0[*at])).filter(|at| self.0[*at] > 0);
        std::iter::successors(Some(0).filter(|_| self.0[0] > 0), next)
    }
}

/// What somebody wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of what.
    pub name: Name,
    /// Which records.
    pub kind: u16,
    /// Whether whoever asks would be answered alone.
    pub is_for_one: bool,
}

impl Question {
    /// Whether a record of this kind answers it.
    pub const fn wants(&self, kind: u16) -> bool {
        self.kind == kind || self.kind == ANY
    }
}

/// What is said of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Of what.
    pub name: Name,
    /// What kind of thing is said.
    pub kind: u16,
    /// Whether it replaces all that was said by others, since only one machine may say it.
    pub is_unique: bool,
    /// How long it holds (s); 0 takes it back.
    pub ttl_s: u32,
    /// The rest, names in it without pointers.
    pub data: Vec<u8>,
}

impl Record {
    /// Whether both say the same, however long it holds.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_name = matches!(self.kind, CNAME | PTR | SRV);
        self.kind == other.kind
            && self.name == other.name
            && if is_name {
                self.data.eq_ignore_ascii_case(&other.data)
            } else {
                self.data == other.data
            }
    }

    /// The name that it leads to.
    pub fn target(&self) -> Option<Name> {
        let before = Self::before_name(self.kind)?;
        self.data.get(before..).filter(|wire| !wire.is_empty()).map(|wire| Name(wire.to_vec()))
    }

    /// Bytes before a name at the end of the data; `None` where there is no name that others may point into.
    const fn before_name(kind: u16) -> Option<usize> {
        match kind {
            PTR | CNAME => Some(0),
            SRV => Some(6),
            _ => None,
        }
    }
}

/// A packet, read.
#[derive(Debug, Default)]
pub struct Message {
    /// What a client that knows only DNS wants to hear again.
    pub id: u16,
    /// Whether it answers.
    pub is_answer: bool,
    /// Whether more known answers follow.
    pub is_truncated: bool,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What is said; in a question what is known already.
    pub answers: Vec<Record>,
    /// In a question: what somebody is about to say of the name.
    pub claims: Vec<Record>,
    /// What is said besides.
    pub others: Vec<Record>,
}

impl Message {
    /// Reads a packet; `None` if it is none, or not whole, or nothing that concerns us.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes, at: 0 };
        let (id, flags) = (reader.u16()?, reader.u16()?);
        if flags & (OPCODE | FAILURE) != 0 {
            return None;
        }
        let mut counts = [0; 4];
        for count in &mut counts {
            *count = usize::from(reader.u16()?);
        }
        let [questions, answers, claims, others] = counts;
        let is_lying = questions > limits::MDNS_QUESTIONS_MAX
            || answers + claims + others > limits::MDNS_RECORDS_MAX;
        if is_lying {
            return None;
        }
        Some(Self {
            id,
            is_answer: flags & IS_ANSWER != 0,
            is_truncated: flags & IS_TRUNCATED != 0,
            questions: (0..questions).map(|_| reader.question()).collect::<Option<_>>()?,
            answers: (0..answers).map(|_| reader.record()).collect::<Option<_>>()?,
            claims: (0..claims).map(|_| reader.record()).collect::<Option<_>>()?,
            others: (0..others).map(|_| reader.record()).collect::<Option<_>>()?,
        })
    }
}

/// Goes through a packet.
struct Reader<'a> {
    /// All of it.
    bytes: &'a [u8],
    /// What is read next.
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next so many bytes.
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// A number of two bytes.
    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// A number of four bytes.
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A name. A pointer in it leads to before where the piece began that has it, and there are no more of them than a
    /// name has labels: hundreds of names that all follow thousands would keep a small machine busy.
    fn name(&mut self) -> Option<Name> {
        let mut wire = Vec::new();
        let (mut begun, mut end) = (self.at, None);
        let mut pointers = 0..limits::MDNS_POINTERS_MAX;
        loop {
            let length = self.take(1)?[0];
            match length & POINTER {
                0 if length == 0 => break,
                0 => {
                    let label = self.take(usize::from(length))?;
                    wire.push(length);
                    wire.extend_from_slice(label);
                }
                POINTER => {
                    pointers.next()?;
                    let low = self.take(1)?[0];
                    end = end.or(Some(self.at));
                    let target = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                    if target >= begun {
                        return None;
                    }
                    (begun, self.at) = (target, target);
                }
                _ => return None,
            }
            if wire.len() >= limits::DOMAIN_BYTES_MAX {
                return None;
            }
        }
        wire.push(0);
        self.at = end.unwrap_or(self.at);
        Some(Name(wire))
    }

    /// A question.
    fn question(&mut self) -> Option<Question> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        Some(Question { name, kind, is_for_one: class & TOP_BIT != 0 })
    }

    /// A record.
    fn record(&mut self) -> Option<Record> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        let (ttl_s, length) = (self.u32()?, usize::from(self.u16()?));
        let begin = self.at;
        let mut data = self.take(length)?.to_vec();
        if let Some(before) = Record::before_name(kind) {
            let end = self.at;
            self.at = begin.checked_add(before)?;
            let name = self.name()?;
            if self.at != end {
                return None;
            }
            data.truncate(before);
            data.extend_from_slice(name.wire());
        }
        // What is not of the internet is nothing that we know; as a kind that nobody has, it is passed over.
        let kind = if class & !TOP_BIT == IN { kind } else { 0 };
        Some(Record { name, kind, is_unique: class & TOP_BIT != 0, ttl_s, data })
    }
}

/// The four parts of a message.
#[derive(Clone, Copy)]
enum Part {
    /// What is asked.
    Questions,
    /// What is said.
    Answers,
    /// What is about to be said.
    Claims,
    /// What is said besides.
    Others,
}

/// A packet, as it is written.
pub struct Packet {
    /// The head and what was written so far.
    bytes: Vec<u8>,
    /// How many of each part there are.
    counts: [u16; 4],
    /// The names that were written, each to its end, and where they are.
    names: Vec<(Vec<u8>, u16)>,
}

impl Packet {
    /// A question.
    pub fn question() -> Self {
        Self::new(0, 0)
    }

    /// An answer; to all it has no number.
    pub fn answer(id: u16) -> Self {
        Self::new(id, IS_ANSWER | IS_AUTHORITATIVE)
    }

    /// See above.
    fn new(id: u16, flags: u16) -> Self {
        let mut bytes = vec![0; HEAD_BYTES];
        bytes[..2].copy_from_slice(&id.to_be_bytes());
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        Self { bytes, counts: [0; 4], names: Vec::new() }
    }

    /// Whether nothing is said in it.
    pub fn is_empty(&self) -> bool {
        self.counts[1..].iter().all(|count| *count == 0)
    }

    /// Adds a question; false if it no longer fits.
    pub fn ask(&mut self, question: &Question) -> bool {
        let (before, names) = (self.bytes.len(), self.names.len());
        self.name(&question.name);
        let top = if question.is_for_one { TOP_BIT } else { 0 };
        self.number(question.kind);
        self.number(IN | top);
        self.keep(before, names, Part::Questions)
    }

    /// Adds an answer; false if it no longer fits.
    pub fn say(&mut self, record: &Record) -> bool {
        self.add(record, Part::Answers)
    }

    /// Adds what is about to be said.
    pub fn claim(&mut self, record: &Record) -> bool {
        self.add(record, Part::Claims)
    }

    /// Adds what is said besides.
    pub fn mention(&mut self, record: &Record) -> bool {
        self.add(record, Part::Others)
    }

    /// As it is sent.
    pub fn finish(mut self) -> Vec<u8> {
        for (at, count) in self.counts.iter().enumerate() {
            self.bytes[4 + 2 * at..6 + 2 * at].copy_from_slice(&count.to_be_bytes());
        }
        self.bytes
    }

    /// Adds a record, whole or not at all.
    fn add(&mut self, record: &Record, part: Part) -> bool {
        let (before, names) = (self.bytes.len(), self.names.len());
        self.name(&record.name);
        self.number(record.kind);
        self.number(IN | if record.is_unique { TOP_BIT } else { 0 });
        self.bytes.extend_from_slice(&record.ttl_s.to_be_bytes());
        let length_at = self.bytes.len();
        self.number(0);
        match Record::before_name(record.kind).filter(|before| *before < record.data.len()) {
            Some(split) => {
                self.bytes.extend_from_slice(&record.data[..split]);
                self.name(&Name(record.data[split..].to_vec()));
            }
            None => self.bytes.extend_from_slice(&record.data),
        }
        let length = u16::try_from(self.bytes.len() - length_at - 2).unwrap_or_default();
        self.bytes[length_at..length_at + 2].copy_from_slice(&length.to_be_bytes());
        self.keep(before, names, part)
    }

    /// Counts what was added after so many bytes and names as one more of a part, or takes it back if it does not fit.
    fn keep(&mut self, before: usize, names: usize, part: Part) -> bool {
        let fits = self.bytes.len() <= limits::MDNS_SENT_BYTES_MAX;
        if fits {
            self.counts[part as usize] += 1;
        } else {
            self.bytes.truncate(before);
            self.names.truncate(names);
        }
        fits
    }

    /// Adds a number of two bytes.
    fn number(&mut self, number: u16) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    /// Adds a name, by a pointer from where it goes on as one that is there.
    fn name(&mut self, name: &Name) {
        for at in name.labels() {
            let rest = &name.0[at..];
            if let Some((_, place)) = self.names.iter().find(|(known, _)| known == rest) {
                let pointer = place | u16::from(POINTER) << 8;
                return self.number(pointer);
            }
            // Pointers have 14 bits, and no packet of ours has more bytes than that.
            if let Ok(place) = u16::try_from(self.bytes.len()) {
                self.names.push((rest.to_vec(), place));
            }
            let label_end = at + 1 + usize::from(name.0[at]);
            self.bytes.extend_from_slice(&name.0[at..label_end]);
        }
        self.bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A record of a name.
    fn record(name: &Name, kind: u16, data: &[u8]) -> Record {
        Record { name: name.clone(), kind, is_unique: true, ttl_s: 120, data: data.to_vec() }
    }

    #[test]
    fn what_was_written_is_read_again_and_names_are_written_once() {
        let host = Name::of(&["larder", "local"]);
        let kind = Name::of(&["_http", "_tcp", "local"]);
        let instance = Name::of(&["larder on nas", "_http", "_tcp", "local"]);
        let mut srv = vec![0, 0, 0, 0, 0x1b, 0x39];
        srv.extend_from_slice(host.wire());
        let records = [
            record(&kind, PTR, instance.wire()),
            record(&instance, SRV, &srv),
            record(&instance, TXT, b"\x06path=/"),
            record(&host, A, &[192, 168, 1, 4]),
        ];
        let mut packet = Packet::answer(7);
        let question = Question { name: kind.clone(), kind: PTR, is_for_one: true };
        packet.ask(&question);
        assert!(packet.is_empty());
        assert!(packet.say(&records[0]) && packet.claim(&records[1]));
        assert!(packet.mention(&records[2]) && packet.mention(&records[3]));
        let bytes = packet.finish();
        let of_larder = bytes.windows(6).filter(|window| window == b"larder").count();
        assert_eq!(of_larder, 2, "of the instance and of the host, once each");
        let message = Message::read(&bytes).unwrap();
        assert!(message.is_answer && !message.is_truncated);
        assert_eq!((message.id, message.questions), (7, vec![question]));
        assert_eq!([message.answers, message.claims, message.others].concat(), records);
    }

    #[test]
    fn what_does_not_fit_leaves_no_trace() {
        let name = Name::of(&["larder", "local"]);
        let mut packet = Packet::answer(0);
        while packet.say(&record(&name, TXT, &[1; 200])) {}
        assert!(!packet.say(&record(&Name::of(&["another", "local"]), TXT, &[1; 200])));
        let bytes = packet.finish();
        assert!(bytes.len() <= limits::MDNS_SENT_BYTES_MAX);
        assert!(Message::read(&bytes).unwrap().answers.len() > 5);
        assert!(!bytes.windows(7).any(|window| window == b"another"));
    }

    #[test]
    fn names_that_differ_in_case_are_the_same() {
        assert_eq!(Name::of(&["Larder", "LOCAL"]), Name::of(&["larder", "local"]));
        assert_ne!(Name::of(&["larder", "local"]), Name::of(&["larder.local"]));
    }

    /// A packet with these counts and this after its head.
    fn packet(counts: [u16; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn packets_that_loop_lie_or_end_early_are_none() {
        let to_itself = packet([1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1]);
        let in_a_circle =
            packet([2, 0, 0, 0], &[1, b'a', 0xc0, 14, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1]);
        let forward = packet([1, 0, 0, 0], &[0xc0, 14, 0, 0, 1, 0, 1]);
        let cut = packet([1, 0, 0, 0], &[6, b'l', b'a']);
        let no_questions = packet([4, 0, 0, 0], &[0, 0, 1, 0, 1]);
        let many = packet([u16::MAX; 4], &[0; 9000]);
        let long_data = packet([0, 1, 0, 0], &[0, 0, 16, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 1]);
        let name_beyond = packet([0, 1, 0, 0], &[0, 0, 12, 0, 1, 0, 0, 0, 9, 0, 1, 1, b'a', 0]);
        let reserved = packet([1, 0, 0, 0], &[0x80, 0, 0, 1, 0, 1]);
        let endless: Vec<u8> = [63].into_iter().chain([b'a'; 63]).cycle().take(64 * 5).collect();
        let endless = packet([1, 0, 0, 0], &endless);
        let bad = [
            to_itself,
            in_a_circle,
            forward,
            cut,
            no_questions,
            many,
            long_data,
            name_beyond,
            reserved,
            endless,
            Vec::new(),
            vec![0; 11],
        ];
        for bytes in bad {
            assert!(Message::read(&bytes).is_none(), "{bytes:?}");
        }
        assert!(Message::read(&packet([0; 4], &[])).is_some());
        assert!(Message::read(&packet([1, 0, 0, 0], &[0, 0, 1, 0, 1])).is_some());
        let mut failure = packet([0; 4], &[]);
        failure[3] = 3;
        assert!(Message::read(&failure).is_none(), "what failed says nothing (RFC 6762, 18.11)");
        let mut update = packet([0; 4], &[]);
        update[2] = 5 << 3;
        assert!(Message::read(&update).is_none(), "another operation");
    }

    #[test]
    fn a_name_of_more_pointers_than_labels_is_none() {
        // Each leads to the one before it, all in the data of a record; the last one is the name of the next record.
        let chain = |count: u16| {
            let data_at = 12 + 11;
            let mut data = vec![0];
            let places = (0..count).map(|at| if at == 0 { data_at } else { data_at + 2 * at - 1 });
            data.extend(places.flat_map(|place| (0xc000 | place).to_be_bytes()));
            let mut body = vec![0, 0, 16, 0, 1, 0, 0, 0, 9];
            body.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            body.extend_from_slice(&data);
            body.extend((0xc000 | (data_at + 2 * count - 1)).to_be_bytes());
            body.extend([0, 16, 0, 1, 0, 0, 0, 9, 0, 0]);
            Message::read(&packet([0, 2, 0, 0], &body))
        };
        assert!(chain(100).is_some());
        assert!(chain(4000).is_none(), "hundreds of such names would take long to follow");
    }

    #[test]
    fn questions_that_do_not_fit_are_not_asked() {
        let mut packet = Packet::question();
        let long = "x".repeat(63);
        let mut asked = 0;
        for number in 0..64 {
            let name = Name::of(&[&number.to_string(), &long[..number.max(1)]]);
            asked += usize::from(packet.ask(&Question { name, kind: ANY, is_for_one: false }));
        }
        let bytes = packet.finish();
        assert!(bytes.len() <= limits::MDNS_SENT_BYTES_MAX, "{}", bytes.len());
        assert_eq!(Message::read(&bytes).unwrap().questions.len(), asked);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_within_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Some(message) = Message::read(&bytes) {
                let all = [&message.answers, &message.claims, &message.others];
                for record in all.into_iter().flatten() {
                    prop_assert!(record.name.wire().len() <= limits::DOMAIN_BYTES_MAX);
                    prop_assert!(record.data.len() <= bytes.len() + limits::DOMAIN_BYTES_MAX);
                }
            }
        }

        #[test]
        fn a_changed_byte_does_no_harm(at in 0_usize..90, byte in any::<u8>()) {
            let name = Name::of(&["larder on nas", "_http", "_tcp", "local"]);
            let mut written = Packet::answer(0);
            for _ in 0..3 {
                written.say(&record(&name, PTR, name.wire()));
            }
            let mut bytes = written.finish();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _read_or_not = Message::read(&bytes);
        }
    }
}
