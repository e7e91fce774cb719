//! Whatever a packet of multicast DNS is made of, it is read within its bounds or refused, without a panic; and what
//! was read can be written and read again.
#![no_main]
#![allow(dead_code, reason = "a file of larder's own, of which only a part is used here")]

#[path = "../../../src/limits/discovery.rs"]
mod limits;
#[path = "../../../src/discovery/message.rs"]
mod message;

use message::{Message, Packet};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(read) = Message::read(bytes) else { return };
    assert!(read.questions.len() <= limits::MDNS_QUESTIONS_MAX, "no more than is looked at");
    let mut packet = Packet::answer(read.id);
    let mut said = Vec::new();
    for record in read.answers.iter().chain(&read.claims).chain(&read.others) {
        assert!(record.name.wire().len() <= limits::DOMAIN_BYTES_MAX, "a name");
        // What is of another class has no kind that could be told again.
        if record.kind != 0 && packet.say(record) {
            said.push(record.clone());
        }
    }
    let again = Message::read(&packet.finish()).expect("what was written is whole");
    assert_eq!(again.answers, said, "what was written is what was read");
});
