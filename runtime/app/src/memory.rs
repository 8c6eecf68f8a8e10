//! Memory: where it comes from, and that what only the start of a program needs does not stay.
//!
//! Flows make and drop many small values, on several threads. mimalloc does that with up to a quarter less time than
//! the C library's allocator, and takes a megabyte more (docs/bench.md).
//!
//! A start goes through much more code than a running flow does. The pages of the program's file that it has touched count
//! as its memory until the system wants them for others. Letting go of them loses nothing: they are read-only pieces of the
//! file, and come back when they are needed.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lets go of the pages of the program's own code and constants. Does nothing where the system has no such thing.
pub(crate) fn let_go_of_start() {
    #[cfg(target_os = "linux")]
    linux::let_go();
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::mm::{Advice, madvise};

    pub(super) fn let_go() {
        // (where the list cannot be read, everything stays as it is)
        let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else {
            return;
        };
        let Ok(own) = std::env::current_exe() else {
            return;
        };
        let own = own.to_string_lossy();
        for (from, to) in maps.lines().filter_map(|line| constant_part(line, &own)) {
            let start = std::ptr::with_exposed_provenance_mut(from);
            // SAFETY: the range is a mapping of the program's file that was never writable (its code, or what stands at the
            // beginning of the file, which the linker puts in front of the code): its pages are the file's, and the same ones
            // come back when they are touched again.
            let done = unsafe { madvise(start, to - from, Advice::LinuxDontNeed) };
            if done.is_err() {
                return;
            }
        }
    }

    /// The range of a line of `/proc/self/maps` that is the program's code, or the constants at the beginning of its file. (What
    /// was written when the program was loaded looks like a constant later; it stands behind the code.)
    pub(super) fn constant_part(line: &str, own: &str) -> Option<(usize, usize)> {
        let mut fields = line.split_whitespace();
        let (range, rights, offset) = (fields.next()?, fields.next()?, fields.next()?);
        let name = fields.nth(2)?;
        let constant = rights == "r-xp" || rights == "r--p" && offset.bytes().all(|b| b == b'0');
        if !constant || name != own {
            return None;
        }
        let (from, to) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some((number(from)?, number(to)?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn code_and_the_constants_before_it_are_let_go_of() {
            let part = |line| constant_part(line, "/bin/app");
            assert_eq!(
                part("1000-3000 r-xp 00200000 fe:00 12  /bin/app"),
                Some((0x1000, 0x3000))
            );
            assert_eq!(
                part("0-800 r--p 00000000 fe:00 12  /bin/app"),
                Some((0, 0x800))
            );
            // (written when the program was loaded)
            assert_eq!(part("4000-5000 r--p 00300000 fe:00 12  /bin/app"), None);
            assert_eq!(part("4000-5000 rw-p 00300000 fe:00 12  /bin/app"), None);
            assert_eq!(part("1000-3000 r-xp 00200000 fe:00 12  /lib/other"), None);
            assert_eq!(part("1000-3000 r-xp 00000000 00:00 0"), None);
        }

        #[test]
        fn the_program_goes_on_afterwards() {
            let before = format!("{:?}", std::env::args().collect::<Vec<_>>());
            let_go();
            assert_eq!(
                format!("{:?}", std::env::args().collect::<Vec<_>>()),
                before
            );
        }
    }
}
