//! Reading how busy the machine is from `/proc` and `/sys` (`proc(5)`). Holds nothing open.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{PowerSupply, Sample, percent};
use crate::limits;

/// Below these the firmware of a Raspberry Pi tells of power and heat, to everybody. Its folder is
/// `soc:firmware` up to the Pi 4 and `soc@107c000000:firmware` on the Pi 5. (The tool `vcgencmd` says
/// the same, but needs a device that the unit's sandbox hides.)
const FIRMWARE_PLACES: [&str; 2] =
    ["sys/devices/platform", "sys/bus/platform/drivers/raspberrypi-firmware"];

/// The file in which it does.
const THROTTLED: &str = "get_throttled";

/// What board it is: of the device tree, which PCs have none of.
const MODEL: &str = "proc/device-tree/model";

/// Beginnings of the names of network interfaces that only pass on what others count already, or
/// that never leave the machine.
const NOT_COUNTED: [&str; 7] = ["lo", "veth", "docker", "br-", "virbr", "tun", "wg"];

/// Where to look; found once.
pub struct Sources {
    /// `/`, or a folder like it for tests.
    top: PathBuf,
    /// The processor's thermometer.
    thermometer: Option<PathBuf>,
    /// The firmware's word on power and heat.
    throttled: Option<PathBuf>,
    /// The alarm for low voltage of newer kernels.
    voltage_alarm: Option<PathBuf>,
    /// The board's name.
    board: Option<String>,
}

/// Numbers that only ever grow; what counts is how much since the last time.
#[derive(Default)]
pub struct Counters {
    /// When they were read.
    at: Option<Instant>,
    /// Processor time, all and idle (ticks).
    cpu: (u64, u64),
    /// Bytes from and to the network.
    network: (u64, u64),
}

impl Sources {
    /// Looks for what the machine has.
    pub fn find(top: &Path) -> Self {
        Self {
            thermometer: thermometer(top),
            throttled: throttled(top),
            board: read(&top.join(MODEL))
                .map(|name| name.trim_matches(['\0', '\n', ' ']).to_owned())
                .filter(|name| !name.is_empty()),
            voltage_alarm: voltage_alarm(top),
            top: top.to_path_buf(),
        }
    }

    /// Fills in everything but the drive. What can't be read stays 0 or nothing.
    pub fn update(&self, sample: &mut Sample, before: &mut Counters) {
        let now = Instant::now();
        let read = |name: &str| read(&self.top.join("proc").join(name)).unwrap_or_default();
        let cpu = cpu_times(&read("stat"));
        let network = network_bytes(&read("net/dev"));
        let all = cpu.0.saturating_sub(before.cpu.0);
        let idle = cpu.1.saturating_sub(before.cpu.1);
        sample.cpu = percent(all.saturating_sub(idle), all);
        if let Some(then) = before.at {
            let time_ms = u64::try_from((now - then).as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = |new: u64, old: u64| new.saturating_sub(old).saturating_mul(1000) / time_ms;
            sample.network_received_bytes_per_s = rate(network.0, before.network.0);
            sample.network_sent_bytes_per_s = rate(network.1, before.network.1);
        }
        *before = Counters { at: Some(now), cpu, network };
        let (total, free) = memory_bytes(&read("meminfo"));
        sample.memory_total_bytes = total;
        sample.memory_free_bytes = free;
        sample.memory = percent(total.saturating_sub(free), total);
        sample.load = load(&read("loadavg"));
        sample.uptime = uptime_s(&read("uptime"));
        sample.temperature = self.thermometer.as_deref().and_then(self::read).and_then(degrees);
        sample.power_supply = self.power_supply();
        sample.board.clone_from(&self.board);
    }

    /// What the board says of its power, if it says anything.
    fn power_supply(&self) -> Option<PowerSupply> {
        if let Some(text) = self.throttled.as_deref().and_then(read) {
            return power_supply(&text);
        }
        let alarm = self.voltage_alarm.as_deref().and_then(read)?;
        Some(PowerSupply { under_voltage: alarm.trim() == "1", ..PowerSupply::default() })
    }
}

/// A small file as text.
pub(super) fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(limits::PROC_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    String::from_utf8(bytes).ok()
}

/// The folders in a folder, sorted.
pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.take(1000).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// The thermometer of the processor, or the first there is.
fn thermometer(top: &Path) -> Option<PathBuf> {
    let zones = folders(&top.join("sys/class/thermal"));
    let kind = |zone: &PathBuf| read(&zone.join("type")).unwrap_or_default().to_lowercase();
    let is_processor =
        |zone: &&PathBuf| ["cpu", "soc", "pkg"].iter().any(|word| kind(zone).contains(word));
    let with_temperature: Vec<PathBuf> =
        zones.into_iter().filter(|zone| zone.join("temp").exists()).collect();
    let zone = with_temperature.iter().find(is_processor).or(with_temperature.first())?;
    Some(zone.join("temp"))
}

/// The firmware's file: in a folder of a driver, or one below `soc`.
fn throttled(top: &Path) -> Option<PathBuf> {
    let is_named = |folder: &PathBuf, word: &str| {
        folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains(word))
    };
    let below = FIRMWARE_PLACES.iter().flat_map(|place| folders(&top.join(place)));
    let firmware = below.flat_map(|folder| {
        let inner = if is_named(&folder, "soc") { folders(&folder) } else { Vec::new() };
        inner.into_iter().chain([folder]).filter(|folder| is_named(folder, "firmware"))
    });
    firmware.map(|folder| folder.join(THROTTLED)).find(|path| path.exists())
}

/// The alarm of the driver `rpi_volt`.
fn voltage_alarm(top: &Path) -> Option<PathBuf> {
    let sensors = folders(&top.join("sys/class/hwmon"));
    let sensor = sensors
        .into_iter()
        .find(|sensor| read(&sensor.join("name")).is_some_and(|name| name.trim() == "rpi_volt"))?;
    Some(sensor.join("in0_lcrit_alarm"))
}

/// Processor time, all and idle, of the first line of `/proc/stat`. Waiting for a disk is idle, and
/// guests' time is part of the user's already.
fn cpu_times(text: &str) -> (u64, u64) {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let ticks: Vec<u64> =
        line.split_whitespace().take(8).map(|word| word.parse().unwrap_or(0)).collect();
    let idle = ticks.iter().skip(3).take(2).sum();
    (ticks.iter().sum(), idle)
}

/// Bytes received and sent so far, of `/proc/net/dev`.
fn network_bytes(text: &str) -> (u64, u64) {
    let mut sums = (0_u64, 0_u64);
    for line in text.lines() {
        let Some((name, numbers)) = line.trim_start().split_once(':') else { continue };
        if NOT_COUNTED.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let mut numbers = numbers.split_whitespace().map(|word| word.parse().unwrap_or(0));
        sums.0 = sums.0.saturating_add(numbers.next().unwrap_or(0));
        sums.1 = sums.1.saturating_add(numbers.nth(7).unwrap_or(0));
    }
    sums
}

/// Memory in all, and what a program could have, of `/proc/meminfo`.
fn memory_bytes(text: &str) -> (u64, u64) {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let kib: u64 = line.split_whitespace().next().and_then(|word| word.parse().ok())?;
        Some(kib.saturating_mul(1024))
    };
    let available = bytes("MemAvailable:").or_else(|| bytes("MemFree:"));
    (bytes("MemTotal:").unwrap_or(0), available.unwrap_or(0))
}

/// The three averages of `/proc/loadavg`.
fn load(text: &str) -> [f64; 3] {
    let mut words = text.split_whitespace().map(|word| word.parse().unwrap_or(0.0));
    std::array::from_fn(|_| words.next().unwrap_or(0.0))
}

/// Whole seconds of `/proc/uptime`.
fn uptime_s(text: &str) -> u64 {
    text.split(['.', ' ']).next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Thousandths of a degree as degrees, to a tenth.
#[expect(clippy::needless_pass_by_value, reason = "a step in a chain of options")]
fn degrees(text: String) -> Option<f64> {
    let thousandths: i32 = text.trim().parse().ok()?;
    Some(f64::from(thousandths / 100) / 10.0)
}

/// The firmware's word (`vcgencmd get_throttled` in Raspberry Pi's documentation): bits 0 to 3 are now,
/// 16 to 19 since the start.
fn power_supply(text: &str) -> Option<PowerSupply> {
    let word = u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()?;
    let has = |bits: &[u32]| bits.iter().any(|bit| word & (1 << bit) != 0);
    Some(PowerSupply {
        under_voltage: has(&[0]),
        throttled: has(&[1, 2]),
        too_hot: has(&[3]),
        under_voltage_before: has(&[16]),
        throttled_before: has(&[17, 18]),
        too_hot_before: has(&[19]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A machine made of files.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = top.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        top
    }

    const STAT: &str = "proc/stat";
    const NET: &str = "proc/net/dev";

    #[test]
    fn a_board_is_read_and_what_grows_is_told_as_a_rate() {
        let top = machine(&[
            (STAT, "cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 1 1 1\n"),
            (
                NET,
                "Inter-| Receive\n face |bytes\n    lo: 9000 1 0 0 0 0 0 0 9000 1 0 0 0 0 0 0\n  \
                eth0: 1000 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0\n",
            ),
            (
                "proc/meminfo",
                "MemTotal:        1000 kB\nMemFree: 100 kB\nMemAvailable:     250 kB\n",
            ),
            ("proc/loadavg", "0.50 1.25 2.00 1/234 5678\n"),
            ("proc/uptime", "12345.67 99.0\n"),
            ("sys/class/thermal/thermal_zone0/type", "gpu\n"),
            ("sys/class/thermal/thermal_zone0/temp", "1000\n"),
            ("sys/class/thermal/thermal_zone1/type", "cpu-thermal\n"),
            ("sys/class/thermal/thermal_zone1/temp", "48250\n"),
            ("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n"),
            ("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
        ]);
        let sources = Sources::find(top.path());
        let (mut sample, mut before) = (Sample::default(), Counters::default());
        sources.update(&mut sample, &mut before);
        assert_eq!((sample.cpu, sample.memory), (20, 75));
        assert_eq!((sample.memory_total_bytes, sample.memory_free_bytes), (1_024_000, 256_000));
        assert_eq!((sample.load, sample.uptime), ([0.5, 1.25, 2.0], 12345));
        assert_eq!(sample.temperature, Some(48.2));
        assert_eq!(sample.board.as_deref(), Some("Raspberry Pi 4 Model B Rev 1.4"));
        let supply = sample.power_supply.unwrap();
        assert!(supply.under_voltage && supply.throttled && !supply.too_hot);
        assert!(supply.under_voltage_before && supply.throttled_before && !supply.too_hot_before);
        assert_eq!(sample.network_received_bytes_per_s, 0);

        fs::write(top.path().join(STAT), "cpu  190 0 100 710 100 0 0 0 50 0\n").unwrap();
        fs::write(top.path().join(NET), " eth0: 901000 1 0 0 0 0 0 0 500 1 0 0 0 0 0 0\n").unwrap();
        sources.update(&mut sample, &mut before);
        assert_eq!(sample.cpu, 90);
        assert!(sample.network_received_bytes_per_s > 0);
        assert_eq!(sample.network_sent_bytes_per_s, 0);
    }

    #[test]
    fn a_machine_that_tells_nothing_is_no_mistake() {
        let top = machine(&[("proc/stat", "nonsense"), ("proc/meminfo", "MemTotal: x kB\n")]);
        let mut sample = Sample::default();
        Sources::find(top.path()).update(&mut sample, &mut Counters::default());
        assert_eq!(sample, Sample::default());
    }

    #[test]
    fn the_firmware_of_newer_boards_is_found_as_well() {
        for place in [
            "sys/devices/platform/soc@107c000000/soc@107c000000:firmware",
            "sys/devices/platform/soc@107c000000:firmware",
            "sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware",
        ] {
            let top = machine(&[(&format!("{place}/get_throttled"), "8\n")]);
            let supply = Sources::find(top.path()).power_supply().expect(place);
            assert!(supply.too_hot && !supply.under_voltage);
        }
    }

    #[test]
    fn a_newer_kernel_tells_of_low_voltage_by_an_alarm() {
        let top = machine(&[
            ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
            ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
        ]);
        let supply = Sources::find(top.path()).power_supply().unwrap();
        assert!(supply.under_voltage && !supply.throttled);
    }
}
