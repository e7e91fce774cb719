//! What the owner should know of the board, in words: power, heat, drives that are full or read-only, a
//! card that is written to a lot.

use serde::Serialize;

use super::{PowerSupply, Sample};
use crate::limits;

/// The code of each warning. The pages have words of their own for each.
#[cfg(test)]
const CODES: [&str; 13] = [
    "under_voltage",
    "storage_read_only",
    "state_read_only",
    "storage_full",
    "state_full",
    "storage_silent",
    "storage_absent",
    "drive_missed",
    "too_hot",
    "throttled",
    "under_voltage_before",
    "too_hot_before",
    "card_busy",
];

/// Something the owner should know.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Warning {
    /// For programs; never changes.
    #[cfg_attr(test, schemars(extend("enum" = CODES)))]
    pub code: &'static str,
    /// For people.
    pub text: &'static str,
}

/// Everything there is to say of a sample, the gravest first. Empty when all is well.
pub fn warnings(sample: &Sample) -> Vec<Warning> {
    let supply = sample.power_supply.unwrap_or_default();
    let PowerSupply { under_voltage, under_voltage_before, .. } = supply;
    let is_card_worn = sample.written.iter().any(|drive| {
        drive.is_card && !drive.holds_share && drive.bytes > limits::CARD_BYTES_IN_DAY_MAX
    });
    let at_once = [(
        under_voltage,
        "under_voltage",
        "The power supply is too weak: the voltage is too low now. Files are at risk. Use the board's own \
            power supply and a short cable",
    )];
    let later = [
        (is_hot(sample), "too_hot", "The board is too hot and slows itself down. Give it air"),
        (
            supply.throttled && !under_voltage && !is_hot(sample),
            "throttled",
            "The board slows itself down, because of its power supply or of heat",
        ),
        (
            under_voltage_before && !under_voltage,
            "under_voltage_before",
            "The voltage was too low at some time since the board started. Files are at risk. Use the board's \
            own power supply and a short cable",
        ),
        (
            supply.too_hot_before && !is_hot(sample),
            "too_hot_before",
            "The board was too hot at some time since it started",
        ),
        (
            is_card_worn,
            "card_busy",
            "A great deal was written to the card today, which wears it out. Look which program it is",
        ),
    ];
    let all = at_once.into_iter().chain(of_drives(sample)).chain(later);
    all.filter_map(|(is_so, code, text)| is_so.then_some(Warning { code, text })).collect()
}

/// What there is to say of the drives and of the card, the gravest first: each with whether it is so.
fn of_drives(sample: &Sample) -> [(bool, &'static str, &'static str); 7] {
    // A filesystem that tells no size is unknown, not full.
    let is_share_known = sample.storage_present && sample.disk_total_bytes > 0;
    let is_share_full = is_share_known && sample.disk_free_bytes < limits::FREE_SPACE_BYTES_MIN;
    let is_state_known = sample.state_total_bytes > 0;
    let is_state_full = is_state_known && sample.state_free_bytes < limits::FREE_SPACE_BYTES_MIN;
    [
        (
            sample.storage_read_only,
            "storage_read_only",
            "The drive can only be read, so nothing can be stored: it is mounted so, or the system found \
            errors on it. Save what matters, then check it (fsck) and mount it again",
        ),
        (
            sample.state_read_only,
            "state_read_only",
            "The card with larder's own data can only be read: no change of users or settings is kept. It may \
            be worn out; make a backup and replace it",
        ),
        (is_share_full, "storage_full", "The drive with the files is full"),
        (is_state_full, "state_full", "The card with larder's own data is full"),
        (
            sample.silent_drives > 0,
            "storage_silent",
            "A drive does not answer: what needs it waits. Look at its cable and its power supply, or at the \
            network when it is mounted from there; the log tells which one it is",
        ),
        (!sample.storage_present, "storage_absent", "The drive with the files is not there"),
        (
            sample.missed_drives > 0,
            "drive_missed",
            "Something that was cut off, by a power failure perhaps, waits for a drive that is not there: connect \
            it again, so that it can be taken back. The log tells which one it is. After 30 days it is done without",
        ),
    ]
}

/// Whether the firmware says so, or a board is at the temperature where boards slow down. (Processors
/// of PCs may be as hot as that all day.)
fn is_hot(sample: &Sample) -> bool {
    let is_high = sample.temperature.is_some_and(|degrees| degrees >= limits::TEMPERATURE_HIGH);
    sample.power_supply.is_some_and(|supply| supply.too_hot) || is_high && sample.board.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Written;

    /// A board that is well.
    fn board() -> Sample {
        Sample {
            storage_present: true,
            disk_total_bytes: 1 << 40,
            disk_free_bytes: 1 << 39,
            state_total_bytes: 1 << 35,
            state_free_bytes: 1 << 34,
            temperature: Some(55.0),
            board: Some("Raspberry Pi 4".into()),
            power_supply: Some(PowerSupply::default()),
            ..Sample::default()
        }
    }

    /// The codes of what is told of a board that was changed.
    fn codes(change: impl FnOnce(&mut Sample)) -> Vec<&'static str> {
        let mut sample = board();
        change(&mut sample);
        let told: Vec<_> = warnings(&sample).iter().map(|warning| warning.code).collect();
        assert!(told.iter().all(|code| CODES.contains(code)), "not in the document: {told:?}");
        told
    }

    #[test]
    fn each_trouble_is_told_by_itself_and_health_by_nothing() {
        assert!(codes(|_| ()).is_empty());
        let supply = |change: fn(&mut PowerSupply)| {
            codes(|sample| change(sample.power_supply.as_mut().unwrap()))
        };
        assert_eq!(supply(|it| it.under_voltage = true), ["under_voltage"]);
        assert_eq!(supply(|it| it.under_voltage_before = true), ["under_voltage_before"]);
        assert_eq!(supply(|it| it.throttled = true), ["throttled"]);
        assert_eq!(supply(|it| it.too_hot = true), ["too_hot"]);
        assert_eq!(supply(|it| it.too_hot_before = true), ["too_hot_before"]);
        // One cause, one sentence.
        let all = |it: &mut PowerSupply| {
            *it = PowerSupply {
                under_voltage: true,
                under_voltage_before: true,
                throttled: true,
                ..*it
            };
        };
        assert_eq!(supply(all), ["under_voltage"]);
        assert_eq!(codes(|it| it.temperature = Some(80.0)), ["too_hot"]);
        assert_eq!(codes(|it| it.storage_read_only = true), ["storage_read_only"]);
        assert_eq!(codes(|it| it.state_read_only = true), ["state_read_only"]);
        assert_eq!(codes(|it| it.disk_free_bytes = 1 << 20), ["storage_full"]);
        assert_eq!(codes(|it| it.state_free_bytes = 1 << 20), ["state_full"]);
        assert_eq!(codes(|it| it.storage_present = false), ["storage_absent"]);
        assert_eq!(codes(|it| it.silent_drives = 1), ["storage_silent"]);
        assert_eq!(codes(|it| it.missed_drives = 1), ["drive_missed"]);
    }

    #[test]
    fn a_pc_may_be_hot_and_only_a_card_without_the_share_wears() {
        let pc = |sample: &mut Sample| (sample.temperature, sample.board) = (Some(95.0), None);
        assert!(codes(pc).is_empty());
        for (is_card, holds_share, wanted) in
            [(true, false, &["card_busy"][..]), (true, true, &[]), (false, false, &[])]
        {
            let drive = "mmcblk0".into();
            let (bytes, since) = (limits::CARD_BYTES_IN_DAY_MAX + 1, String::new());
            let written = Written { drive, is_card, holds_state: true, holds_share, bytes, since };
            assert_eq!(codes(|sample| sample.written = vec![written]), wanted);
        }
    }
}
