//! Time is turned by hand here, and packets are made as others make them.

use super::*;
use crate::discovery::table::{Names, Numbered, Service, records};
use proptest::prelude::*;

/// Where the machine is.
const HOME: [u8; 4] = [192, 168, 1, 4];
/// Where another is.
const OTHER: [u8; 4] = [192, 168, 1, 9];

/// Who asks, and knows multicast DNS.
fn neighbour() -> SocketAddr {
    SocketAddr::from((OTHER, PORT))
}

/// What is told of a machine with this name and one service.
fn table(host: &str, protocol: &'static str) -> Vec<Record> {
    let names = Names { host: Numbered::host(host), instance: Numbered::instance("nas") };
    let everywhere = IpAddr::from([0, 0, 0, 0]);
    let service = Service { protocol, path: "/", host: everywhere, port: 6969 };
    records(&names, &[HOME.into()], &[service])
}

/// What the machine says.
fn own() -> Own {
    Own { addresses: vec![HOME.into()], records: table("larder", "_http") }
}

/// A link, and a clock that goes as fast as it is wanted.
struct House {
    /// The link.
    link: Link,
    /// Now.
    now: Instant,
}

impl House {
    /// Where everything was told.
    fn settled() -> Self {
        let mut house = Self { link: Link::new(limits::MDNS_SENT_MAX), now: Instant::now() };
        house.link.change(table("larder", "_http"), house.now, house.now);
        house.run(Duration::from_secs(10));
        house
    }

    /// Lets time go by; gives what was sent.
    fn run(&mut self, time: Duration) -> Vec<Message> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(at) = self.link.next().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            let letters = self.link.tick(self.now);
            sent.extend(letters.iter().filter_map(|letter| Message::read(&letter.bytes)));
        }
        self.now = end;
        sent
    }

    /// Takes a packet; gives what is answered at once and within a second and a half, and what was lost.
    fn hear(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
    ) -> (Vec<Letter>, Vec<Message>, Option<Name>) {
        let Heard { letters, lost } = self.link.hear(bytes, from, true, &own(), self.now);
        let sent = self.run(Duration::from_millis(1500));
        (letters, sent, lost)
    }
}

/// The machine's name.
fn larder() -> Name {
    Name::of(&["larder", "local"])
}

/// A question for it.
fn question(name: Name, kind: u16) -> Packet {
    let mut packet = Packet::question();
    packet.ask(&Question { name, kind, is_for_one: false });
    packet
}

/// An address of the name.
fn address(ip: [u8; 4], ttl_s: u32) -> Record {
    Record { name: larder(), kind: A, is_unique: true, ttl_s, data: ip.to_vec() }
}

/// That another has the name.
fn claim(ip: [u8; 4], ttl_s: u32) -> Vec<u8> {
    let mut packet = Packet::answer(0);
    assert!(packet.say(&address(ip, ttl_s)));
    packet.finish()
}

#[test]
fn a_name_is_asked_for_three_times_and_told_twice() {
    let mut house = House { link: Link::new(limits::MDNS_SENT_MAX), now: Instant::now() };
    let letters = house.link.change(table("larder", "_http"), house.now, house.now);
    assert!(letters.is_empty() && !house.link.is_settled());
    let sent = house.run(Duration::from_secs(10));
    let questions: Vec<&Message> = sent.iter().filter(|message| !message.is_answer).collect();
    assert_eq!((questions.len(), sent.len()), (3, 5));
    assert!(questions.iter().all(|asked| asked.claims.contains(&address(HOME, 120))));
    assert!(sent[3].answers.contains(&address(HOME, 120)));
    assert!(house.link.is_settled());
    assert_eq!(house.link.next(), None, "and then there is nothing to wake for");
}

#[test]
fn a_question_is_answered_once_a_second_and_not_to_who_knows() {
    let mut house = House::settled();
    let ask = question(larder(), A).finish();
    let (letters, sent, _) = house.hear(&ask, neighbour());
    assert!(letters.is_empty());
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].answers, [address(HOME, 120)]);
    for _ in 0..50 {
        house.link.hear(&ask, neighbour(), true, &own(), house.now);
    }
    assert_eq!(house.run(Duration::from_secs(5)).len(), 1);
    let mut knows = question(larder(), A);
    assert!(knows.say(&address(HOME, 100)));
    assert!(house.hear(&knows.finish(), neighbour()).1.is_empty());
    let mut forgets = question(larder(), A);
    assert!(forgets.say(&address(HOME, 20)));
    assert_eq!(house.hear(&forgets.finish(), neighbour()).1.len(), 1, "it would soon be over");
    let (_, sent, _) = house.hear(&question(larder(), AAAA).finish(), neighbour());
    assert_eq!(sent[0].answers[0].kind, NSEC);
    let strangers = question(Name::of(&["printer", "local"]), A).finish();
    assert!(house.hear(&strangers, neighbour()).1.is_empty());
}

#[test]
fn known_answers_may_follow_in_another_packet() {
    let mut house = House::settled();
    let mut ask = question(larder(), A).finish();
    ask[2] |= 2;
    house.link.hear(&ask, neighbour(), true, &own(), house.now);
    let mut more = Packet::question();
    assert!(more.say(&address(HOME, 120)));
    assert!(house.hear(&more.finish(), neighbour()).1.is_empty());
    assert_eq!(house.hear(&ask, neighbour()).1.len(), 1);
}

#[test]
fn who_wants_to_be_answered_alone_is_if_all_know_it() {
    let mut house = House::settled();
    let mut ask = Packet::question();
    ask.ask(&Question { name: larder(), kind: A, is_for_one: true });
    let ask = ask.finish();
    let (letters, sent, _) = house.hear(&ask, neighbour());
    assert_eq!((letters.len(), sent.len()), (1, 0));
    assert_eq!(letters[0].to, Some(neighbour()));
    house.run(Duration::from_mins(1));
    let (letters, sent, _) = house.hear(&ask, neighbour());
    assert_eq!((letters.len(), sent.len()), (0, 1), "others may have forgotten it");
    let heard = house.link.hear(&ask, neighbour(), false, &own(), house.now);
    assert!(heard.letters.is_empty(), "nothing goes out of the network");
}

#[test]
fn plain_dns_is_answered_alone_and_floods_of_it_are_not() {
    let mut house = House::settled();
    house.run(Duration::from_secs(2));
    let from = SocketAddr::from((OTHER, 40_000));
    let mut bytes = question(larder(), A).finish();
    bytes[..2].copy_from_slice(&[0x12, 0x34]);
    let mut answers = 0;
    for _ in 0..100 {
        answers += house.link.hear(&bytes, from, true, &own(), house.now).letters.len();
    }
    assert_eq!(answers, limits::MDNS_SENT_MAX);
    house.run(Duration::from_secs(1));
    let letters = house.link.hear(&bytes, from, true, &own(), house.now).letters;
    let told = Message::read(&letters[0].bytes).unwrap();
    assert_eq!((told.id, told.questions.len()), (0x1234, 1));
    assert_eq!(told.answers, [Record { is_unique: false, ..address(HOME, 10) }]);
    assert!(house.link.hear(&bytes, from, false, &own(), house.now).letters.is_empty());
}

#[test]
fn a_name_that_another_has_is_lost_while_it_is_asked_for_and_defended_after() {
    let mut house = House { link: Link::new(limits::MDNS_SENT_MAX), now: Instant::now() };
    house.link.change(table("larder", "_http"), house.now, house.now);
    let heard = |house: &mut House, bytes: &[u8]| {
        house.link.hear(bytes, neighbour(), true, &own(), house.now).lost
    };
    assert_eq!(heard(&mut house, &claim(HOME, 120)), None, "it is the machine's own");
    assert_eq!(heard(&mut house, &claim(OTHER, 0)), None, "it is being given up");
    assert_eq!(heard(&mut house, &claim(OTHER, 120)), Some(larder()));

    let mut house = House::settled();
    assert_eq!(heard(&mut house, &claim(HOME, 120)), None);
    assert!(house.link.is_settled());
    assert_eq!(heard(&mut house, &claim(OTHER, 120)), None, "first it is asked for again");
    assert!(!house.link.is_settled());
    assert_eq!(heard(&mut house, &claim(OTHER, 120)), Some(larder()));
    let mut probe = question(larder(), ANY);
    assert!(probe.claim(&address(OTHER, 120)));
    let mut house = House::settled();
    let (_, sent, _) = house.hear(&probe.finish(), neighbour());
    assert!(
        sent[0].answers.contains(&address(HOME, 120)),
        "who asks for it hears that it is taken"
    );
}

#[test]
fn of_two_who_ask_for_a_name_at_once_the_one_who_says_more_has_it() {
    for (ip, defers) in [(OTHER, true), ([192, 168, 1, 3], false), (HOME, false)] {
        let mut house = House { link: Link::new(limits::MDNS_SENT_MAX), now: Instant::now() };
        house.link.change(table("larder", "_http"), house.now, house.now);
        house.run(Duration::from_millis(300));
        let mut probe = question(larder(), ANY);
        assert!(probe.claim(&address(ip, 120)));
        house.link.hear(&probe.finish(), neighbour(), true, &own(), house.now);
        let sent = house.run(Duration::from_millis(900));
        assert_eq!(sent.is_empty(), defers, "{ip:?}");
    }
}

#[test]
fn what_is_no_longer_said_is_taken_back_and_the_rest_stays() {
    let mut house = House::settled();
    assert!(house.link.change(table("larder", "_http"), house.now, house.now).is_empty());
    assert_eq!(house.link.next(), None, "the same is nothing new");
    let letters = house.link.change(table("larder", "_ftp"), house.now, house.now);
    let told = Message::read(&letters[0].bytes).unwrap();
    assert!(told.answers.iter().all(|record| record.ttl_s == 0 && !record.is_unique));
    assert!(told.answers.iter().all(|record| record.name != larder()));
    let (_, sent, _) = house.hear(&question(larder(), A).finish(), neighbour());
    assert!(sent.iter().any(|message| message.answers.contains(&address(HOME, 120))));
    house.run(Duration::from_secs(9));
    let letters = house.link.leave(house.now);
    let told = Message::read(&letters[0].bytes).unwrap();
    assert!(told.answers.iter().any(|record| record.kind == A && record.ttl_s == 0));
    assert!(house.run(Duration::from_secs(9)).iter().all(|message| message.answers.is_empty()));
}

#[test]
fn what_another_takes_back_of_ours_is_told_again() {
    let mut house = House::settled();
    let (_, sent, _) = house.hear(&claim(HOME, 0), neighbour());
    assert_eq!(sent[0].answers, [address(HOME, 120)]);
}

#[test]
fn a_rest_that_conflicts_have_earned_is_not_ended_by_more_of_them() {
    let mut house = House::settled();
    let rested = house.now + limits::MDNS_CONFLICT_REST;
    house.link.change(table("larder-2", "_http"), house.now, rested);
    let own = Own { addresses: vec![HOME.into()], records: table("larder-2", "_http") };
    assert!(house.link.next().unwrap() >= rested);
    // Another that asks for the same name, and says more of it.
    let name = Name::of(&["larder-2", "local"]);
    let mut probe = question(name.clone(), ANY);
    assert!(probe.claim(&Record { name, ..address(OTHER, 120) }));
    house.link.hear(&probe.finish(), neighbour(), true, &own, house.now);
    assert!(house.link.next().unwrap() >= rested, "asked for");
    // Another that has one of the names that are settled.
    let place = own.records.iter().find(|record| record.kind == SRV).unwrap();
    let mut other = Packet::answer(0);
    assert!(other.say(&Record { data: [&[0; 6], larder().wire()].concat(), ..place.clone() }));
    house.link.hear(&other.finish(), neighbour(), true, &own, house.now);
    assert!(house.link.next().unwrap() >= rested, "had");
}

#[test]
fn what_takes_more_packets_than_there_are_turns_is_told_in_several_goes() {
    let protocols = ["_http", "_https", "_webdav", "_webdavs", "_ftp"];
    let everywhere = IpAddr::from([0_u16; 8]);
    let services =
        protocols.map(|protocol| Service { protocol, path: "/dav/", host: everywhere, port: 6969 });
    let (host, instance) = ("h".repeat(63), "i".repeat(63));
    let names = Names { host: Numbered::host(&host), instance: Numbered::instance(&instance) };
    let ips: Vec<IpAddr> =
        (1..=8).map(|last| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last])).collect();
    let mut house = House { link: Link::new(limits::MDNS_SENT_MAX), now: Instant::now() };
    house.link.change(records(&names, &ips[1..], &services), house.now, house.now);
    house.run(Duration::from_secs(10));
    // One more address: everything is announced anew.
    let all = records(&names, &ips, &services);
    house.link.change(all.clone(), house.now, house.now);
    let asker = SocketAddr::from((OTHER, 40_000));
    let bytes = question(names.host_name(), AAAA).finish();
    for _ in 1..limits::MDNS_SENT_MAX {
        assert_eq!(house.link.hear(&bytes, asker, true, &own(), house.now).letters.len(), 1);
    }
    let sent = house.run(Duration::from_millis(900));
    assert_eq!(sent.len(), 1, "more than ten in a second");
    let more = house.run(Duration::from_secs(3));
    let told = sent.iter().chain(&more).flat_map(|told| told.answers.iter().chain(&told.others));
    let told: Vec<&Record> = told.collect();
    assert!(all.iter().all(|record| told.iter().any(|told| told.is_same(record))), "but all");
}

proptest! {
    #[test]
    fn whatever_comes_no_more_is_sent_than_may_be(
        packets in proptest::collection::vec((0_usize..200, any::<u8>(), 0_u8..5), 1..60)
    ) {
        let mut house = House::settled();
        house.run(Duration::from_secs(2));
        let mut sent = 0;
        for (at, byte, kind) in packets {
            let mut bytes = match kind {
                0 => question(larder(), ANY).finish(),
                1 => claim(OTHER, 120),
                2 => question(Name::of(&["_http", "_tcp", "local"]), PTR).finish(),
                3 => claim(HOME, 0),
                _ => question(larder(), A).finish(),
            };
            let at = at % bytes.len();
            bytes[at] = byte;
            let port = if byte % 2 == 0 { PORT } else { 40_000 };
            let from = SocketAddr::from((OTHER, port));
            sent += house.link.hear(&bytes, from, true, &own(), house.now).letters.len();
            sent += house.link.tick(house.now).len();
        }
        prop_assert!(sent <= limits::MDNS_SENT_MAX + 2, "{sent}: one thing may take three packets");
    }
}
