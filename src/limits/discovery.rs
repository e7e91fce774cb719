//! Bounds of being found in the local network.

use std::time::Duration;

/// Bytes of a label of a name (RFC 1035, 2.3.4), and so of `discovery_name` and `server_name`.
pub const LABEL_BYTES_MAX: usize = 63;

/// Bytes of a name as it is sent (RFC 1035, 2.3.4).
pub const DOMAIN_BYTES_MAX: usize = 255;

/// Pointers in a name that is heard: one before each label, of which the longest name has no more.
pub const MDNS_POINTERS_MAX: usize = 127;

/// Bytes of a packet that is heard (RFC 6762, 17): what is longer is cut off, and then does not parse.
pub const MDNS_HEARD_BYTES_MAX: usize = 9000;

/// Bytes of a packet that is sent: with the heads of IPv6 and UDP it goes over Ethernet in one piece.
pub const MDNS_SENT_BYTES_MAX: usize = 1440;

/// Questions of a packet that are answered; the shortest has 5 bytes, so that a packet could hold thousands.
pub const MDNS_QUESTIONS_MAX: usize = 64;

/// Records of a packet that are looked at: what a house of printers tells at once.
pub const MDNS_RECORDS_MAX: usize = 256;

/// Packets that one network sends within `MDNS_WINDOW`, answers and all else (second contract, section 23).
pub const MDNS_SENT_MAX: usize = 10;

/// Packets that are read from one network in the same time; the kernel drops what is left over. Real houses have some
/// ten in the worst second.
pub const MDNS_HEARD_MAX: usize = 200;

/// The span in which both are counted.
pub const MDNS_WINDOW: Duration = Duration::from_secs(1);

/// How long an announced address or service is remembered by others (RFC 6762, 10).
pub const MDNS_HOST_TTL_S: u32 = 120;

/// The same of what does not name the machine.
pub const MDNS_OTHER_TTL_S: u32 = 4500;

/// The same of what is told to clients that know only DNS (RFC 6762, 6.7).
pub const MDNS_LEGACY_TTL_S: u32 = 10;

/// How often others are asked whether a name is free, and how far apart (RFC 6762, 8.1).
pub const MDNS_PROBES: u8 = 3;
/// See `MDNS_PROBES`.
pub const MDNS_PROBE_TIME: Duration = Duration::from_millis(250);

/// How often what is new is told, and how far apart (RFC 6762, 8.3).
pub const MDNS_ANNOUNCEMENTS: u8 = 2;
/// See `MDNS_ANNOUNCEMENTS`.
pub const MDNS_ANNOUNCE_TIME: Duration = Duration::from_secs(1);

/// How long a name is left to another that asks for it at the same moment (RFC 6762, 8.2).
pub const MDNS_DEFER_TIME: Duration = Duration::from_secs(1);

/// An answer that others may give too waits this long at least and at most (RFC 6762, 6).
pub const MDNS_SHARED_DELAY: (Duration, Duration) =
    (Duration::from_millis(20), Duration::from_millis(120));

/// An answer to a question whose known answers go on in a further packet waits so long (RFC 6762, 7.2).
pub const MDNS_TRUNCATED_DELAY: (Duration, Duration) =
    (Duration::from_millis(400), Duration::from_millis(500));

/// The same record is told to all no more often (RFC 6762, 6).
pub const MDNS_REPEAT_TIME: Duration = Duration::from_secs(1);

/// The same in defence of a name that somebody asks for.
pub const MDNS_DEFEND_TIME: Duration = Duration::from_millis(250);

/// Conflicts after which the next name is asked for more slowly, and how long that waits (RFC 6762, 8.1).
pub const MDNS_CONFLICTS_MAX: usize = 15;
/// The span in which they are counted.
pub const MDNS_CONFLICTS_TIME: Duration = Duration::from_secs(10);
/// See `MDNS_CONFLICTS_MAX`.
pub const MDNS_CONFLICT_REST: Duration = Duration::from_secs(5);

/// How long a name is kept before the certificate is made anew for it, after the first; twice as long after each.
pub const MDNS_KEPT_TIME: Duration = Duration::from_secs(10);
/// The longest such time.
pub const MDNS_KEPT_TIME_MAX: Duration = Duration::from_hours(1);

/// Names that are tried, `larder` to `larder-99`; then it begins anew. More machines of one name no house has.
pub const MDNS_NAMES_MAX: u32 = 99;

/// Networks that larder announces itself in: a board has two, a machine with containers some more.
pub const MDNS_NETWORKS_MAX: usize = 16;

/// Addresses of one network that are told.
pub const MDNS_ADDRESSES_MAX: usize = 8;

/// After the kernel has told of a change of the network, more are waited for: they come in bursts.
pub const NETWORK_SETTLE_TIME: Duration = Duration::from_millis(500);

/// Lines that the owner is told of troubles with being found, each once in a run: a few networks, a few names.
pub const MDNS_TOLD_MAX: usize = 16;
