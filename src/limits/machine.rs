//! Bounds of the console, of what is measured of the machine, and of starting and stopping.

use std::time::Duration;

// The console and the machine.

/// Commands that run at once, all callers together: each is a process or many.
pub const COMMANDS_MAX: usize = 8;

/// Bytes of a command's output (contract, section 6).
pub const COMMAND_OUTPUT_BYTES_MAX: usize = 1 << 20;

/// How often a running command is looked at: has it ended, is its time over, is larder stopping? Output
/// wakes us by itself.
pub const COMMAND_LOOK_TIME: Duration = Duration::from_millis(20);

/// How long the output of a command is still read after its end: something that left the process group
/// may hold the pipe open.
pub const COMMAND_REST_TIME: Duration = Duration::from_millis(200);

/// Users whose current folder is remembered.
pub const COMMAND_FOLDERS_MAX: usize = 256;

/// How long after the answer the machine is told to power off or restart (contract, section 4).
pub const POWER_DELAY: Duration = Duration::from_secs(1);

/// How long the program that does it may run; then it is killed.
pub const POWER_COMMAND_TIME: Duration = Duration::from_secs(30);

/// How often the machine is looked at while somebody watches.
pub const SAMPLE_TIME: Duration = Duration::from_secs(2);

/// The same while nobody does, so that a chart that is opened begins with how it was. It is read from memory:
/// no drive is asked.
pub const SAMPLE_IDLE_TIME: Duration = Duration::from_secs(20);

/// How far back samples are remembered (second contract, section 26).
pub const SAMPLE_HISTORY_TIME: Duration = Duration::from_mins(10);

/// Samples remembered at most: one every `SAMPLE_TIME`, of 64 bytes each.
pub const SAMPLE_HISTORY_MAX: usize = 300;

/// Somebody who asked this long ago still counts as watching.
pub const SAMPLE_WATCHED_TIME: Duration = Duration::from_secs(30);

/// Bytes read of a file in `/proc` or `/sys` at most: `/proc/stat` of a machine with 500 cores.
pub const PROC_BYTES_MAX: u64 = 256 * 1024;

/// A processor this hot (degrees Celsius) is told of: a Raspberry Pi slows itself down at 80.
pub const TEMPERATURE_HIGH: f64 = 80.0;

/// What a card that is not the share itself should take in a day at most (bytes). Cards of 32 GB last for
/// some hundred times their size: at this rate for three years.
pub const CARD_BYTES_IN_DAY_MAX: u64 = 10 << 30;

/// Drives whose writing is counted. A NAS of boards' kind has two.
pub const DRIVES_COUNTED_MAX: usize = 32;

/// How often the counts of today are written to the state directory: 24 small writes a day, and a power
/// cut takes no more than this from them.
pub const COUNTS_KEPT_TIME: Duration = Duration::from_hours(1);

/// People that are remembered as being on.
pub const PEOPLE_ON_MAX: usize = 100;

/// Whoever asked for anything this long ago still counts as being on.
pub const PERSON_ON_TIME: Duration = Duration::from_mins(10);

// Starting and stopping.

/// How long running requests may go on after SIGTERM (contract, section 1).
pub const DRAIN_TIME: Duration = Duration::from_secs(10);

/// How long of that requests may take: cutting those that do not end, because a drive does not answer them,
/// and closing the databases have to fit, too.
pub const REQUESTS_DRAIN_TIME: Duration = Duration::from_millis(8500);

/// Bytes of the stack of a thread of ours. Only touched pages cost memory.
pub const THREAD_STACK_BYTES: usize = 512 * 1024;

/// How long the watchdog waits for an answer from ourselves before it tells the service manager
/// nothing. Longer than any quick request takes, shorter than half of a sensible interval.
pub const WATCHDOG_ANSWER_TIME: Duration = Duration::from_secs(5);

/// How often the drive's absence is looked for while nobody asks (to tell the owner in the log).
pub const DRIVE_WATCH_TIME: Duration = Duration::from_secs(5);
