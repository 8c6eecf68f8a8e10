//! What a program needs of the system that it runs on: its loader, its libraries and the version of the C library, read from its own
//! file (System V ABI, "Program Loading and Dynamic Linking"; versions: Linux Standard Base, "Symbol Versioning").

use elf::ElfBytes;
use elf::abi;
use elf::endian::AnyEndian;
use elf::gnu_symver::VerNeedIterator;

/// A processor, as images name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

impl Arch {
    /// Its name in the platform of an image, and in Kubernetes' labels of nodes.
    pub fn oci(self) -> &'static str {
        match self {
            Arch::X86_64 => "amd64",
            Arch::Aarch64 => "arm64",
        }
    }

    /// The folder of Debian's that its libraries are in.
    pub(crate) fn libraries(self) -> &'static str {
        match self {
            Arch::X86_64 => "/usr/lib/x86_64-linux-gnu",
            Arch::Aarch64 => "/usr/lib/aarch64-linux-gnu",
        }
    }
}

/// How a program is linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linking {
    /// It needs nothing.
    Static(Arch),
    /// It is loaded with libraries.
    Dynamic {
        /// The processor.
        arch: Arch,
        /// The path of the loader.
        loader: String,
        /// File names of libraries, in their order.
        libraries: Vec<String>,
        /// The newest version of the GNU C library that it asks for.
        glibc: (u32, u32),
    },
}

impl Linking {
    /// The processor.
    pub fn arch(&self) -> Arch {
        match self {
            Linking::Static(arch) | Linking::Dynamic { arch, .. } => *arch,
        }
    }

    /// Reads the bytes of a program.
    ///
    /// # Errors
    /// They are no program for Linux, or one that there is no image for; in words.
    pub(crate) fn read(bytes: &[u8]) -> Result<Linking, String> {
        let bad = |e: elf::ParseError| format!("it is no program for Linux that can be read: {e}");
        let file = ElfBytes::<AnyEndian>::minimal_parse(bytes).map_err(bad)?;
        let arch = match file.ehdr.e_machine {
            abi::EM_X86_64 => Arch::X86_64,
            abi::EM_AARCH64 => Arch::Aarch64,
            other => {
                return Err(format!(
                    "it is for a processor ({}) that there are no images for: build it for x86-64 or AArch64",
                    elf::to_str::e_machine_to_string(other)
                ));
            }
        };
        let segments = file.segments();
        let mut segments = segments.iter().flat_map(|table| table.iter());
        let loader = segments.find(|segment| segment.p_type == abi::PT_INTERP);
        let Some(loader) = loader else {
            return Ok(Linking::Static(arch));
        };
        let loader = file.segment_data(&loader).map_err(bad)?;
        let loader = std::str::from_utf8(loader).unwrap_or_default();
        let loader = loader.trim_end_matches('\0').to_owned();
        if !is_path(&loader) || !loader.contains("/ld-linux") {
            return Err(format!(
                "it is loaded by {loader:?}, not by that of the GNU C library: link it statically, or with the GNU C library"
            ));
        }
        Ok(Linking::Dynamic {
            arch,
            loader,
            libraries: libraries(&file).map_err(bad)?,
            glibc: glibc(&file).map_err(bad)?,
        })
    }
}

/// Letters that paths of loaders and names of libraries have: they get into a Dockerfile.
fn is_path(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    text.len() > 1 && text.chars().all(plain)
}

/// The file names of the libraries that are loaded with the program; the loader is none.
fn libraries(file: &ElfBytes<'_, AnyEndian>) -> Result<Vec<String>, elf::ParseError> {
    let (Some(dynamic), Some((_, names))) = (file.dynamic()?, file.dynamic_symbol_table()?) else {
        return Ok(Vec::new());
    };
    let needed = dynamic.iter().filter(|entry| entry.d_tag == abi::DT_NEEDED);
    let mut all = Vec::new();
    for entry in needed {
        let name = names.get(entry.d_val() as usize)?;
        if is_path(name) && !name.contains('/') && !name.starts_with("ld-linux") {
            all.push(name.to_owned());
        }
    }
    Ok(all)
}

/// The newest `GLIBC_2.N` that any symbol asks for.
fn glibc(file: &ElfBytes<'_, AnyEndian>) -> Result<(u32, u32), elf::ParseError> {
    let mut newest = (2, 0);
    let Some(sections) = file.section_headers() else {
        return Ok(newest);
    };
    let needs = sections.iter().find(|s| s.sh_type == abi::SHT_GNU_VERNEED);
    let Some(needs) = needs else {
        return Ok(newest);
    };
    let names = file.section_data_as_strtab(&sections.get(needs.sh_link as usize)?)?;
    let (data, _) = file.section_data(&needs)?;
    let (ehdr, count) = (&file.ehdr, u64::from(needs.sh_info));
    for (_, versions) in VerNeedIterator::new(ehdr.endianness, ehdr.class, count, 0, data) {
        for version in versions {
            let name = names.get(version.vna_name as usize)?;
            newest = newest.max(version_of(name).unwrap_or(newest));
        }
    }
    Ok(newest)
}

/// The version in `GLIBC_2.34` (a third number, as in `GLIBC_2.2.5`, is of old times).
fn version_of(name: &str) -> Option<(u32, u32)> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
    let mut next = || numbers.next()?.parse().ok();
    Some((next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_this_program_needs_is_read() {
        let own = std::env::current_exe().expect("this program is there");
        let bytes = std::fs::read(own).expect("it can be read");
        let Linking::Dynamic {
            loader,
            libraries,
            glibc,
            ..
        } = Linking::read(&bytes).expect("it is a program")
        else {
            panic!("Rust's test programs are linked with the C library");
        };
        assert!(Path::new(&loader).exists(), "{loader}");
        assert!(libraries.iter().any(|l| l == "libc.so.6"), "{libraries:?}");
        assert!(glibc >= (2, 17), "{glibc:?}");
    }

    #[test]
    fn what_is_no_program_is_refused() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF", &[0; 64]] {
            assert!(Linking::read(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(version_of("GLIBC_2.34"), Some((2, 34)));
        assert_eq!(version_of("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(version_of("GCC_3.0"), None);
        assert_eq!(version_of("GLIBC_PRIVATE"), None);
    }

    proptest::proptest! {
        /// A program that was damaged is refused, or read; it is never more than that.
        #[test]
        fn damaged_programs_make_no_panic(at in 0usize..4096, byte: u8, len in 0usize..200_000) {
            static OWN: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
                let own = std::env::current_exe().expect("this program is there");
                let mut bytes = std::fs::read(own).expect("it can be read");
                bytes.truncate(200_000);
                bytes
            });
            let mut bytes = OWN[..len.min(OWN.len())].to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = Linking::read(&bytes);
        }
    }
}
