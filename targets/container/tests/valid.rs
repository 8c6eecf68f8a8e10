//! What is written, held against those who will read it: the schemas of Kubernetes and of compose, a linter of Dockerfiles, systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use vgdc_target_container::{
    Arch, Kind, Linking, Part, Port, PortNumber, Protocol, warnings, write,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A program of `.ci/pip`'s.
fn tool(name: &str) -> Command {
    let path = root().join("target/pip/bin").join(name);
    assert!(
        path.exists(),
        "{} is not there: run `sh .ci/pip`",
        path.display()
    );
    Command::new(path)
}

/// What a tool says, which has to be content.
fn content(mut tool: Command, what: &Path) {
    let Output {
        status,
        stdout,
        stderr,
    } = tool.output().expect("the tool runs");
    assert!(
        status.success(),
        "{}:\n{}{}\n{}",
        what.display(),
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
        std::fs::read_to_string(what).unwrap_or_default()
    );
}

/// As vgdc-runner is linked.
fn linking() -> Linking {
    Linking::Dynamic {
        arch: Arch::X86_64,
        loader: "/lib64/ld-linux-x86-64.so.2".to_owned(),
        libraries: ["libgcc_s.so.1", "libm.so.6", "libc.so.6"]
            .map(str::to_owned)
            .to_vec(),
        glibc: (2, 35),
    }
}

fn part(mesh: &str, node: &str) -> Part {
    Part {
        mesh: mesh.to_owned(),
        node: node.to_owned(),
        version: "4c6bf9a3e1d2".to_owned(),
        linking: linking(),
        listen: None,
        peers: BTreeMap::new(),
        http: false,
        ports: Vec::new(),
        durable: false,
        hosted: false,
        variables: BTreeSet::new(),
        credentials: false,
        outside: false,
        replicable: false,
        capacity: 1.0,
        labels: Vec::new(),
    }
}

fn peers(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    let own = |(peer, address): &(&str, &str)| (peer.to_string(), address.to_string());
    all.iter().map(own).collect()
}

/// The parts of examples/mesh, with addresses as they are in a cluster.
fn example(address: fn(&str) -> String) -> Vec<Part> {
    let variable = PortNumber::Variable("SENSOR_PORT".to_owned());
    let gateway = Part {
        peers: peers(&[("office", &address("office"))]),
        ports: vec![Port {
            protocol: Protocol::Tcp,
            number: variable,
        }],
        durable: true,
        variables: ["SENSOR_PORT".to_owned()].into(),
        labels: vec!["sensors".to_owned()],
        ..part("plant", "gateway")
    };
    let office = Part {
        listen: Some(address("office")),
        http: true,
        ..part("plant", "office")
    };
    vec![gateway, office]
}

/// Parts with all that there can be, and odd texts wherever there may be some.
fn odd() -> Vec<Part> {
    let fixed = |protocol, number| Port {
        protocol,
        number: PortNumber::Fixed(number),
    };
    let odd = "it's \"odd\": ${X} #{{y}} \\ %n – 😀".to_owned();
    let hosted = Part {
        listen: Some("hosted.odd.svc:8080".to_owned()),
        peers: peers(&[
            ("plain", "plain.odd.svc:7400"),
            ("static", "static.odd.svc:7400"),
        ]),
        http: true,
        ports: vec![fixed(Protocol::Tcp, 5000), fixed(Protocol::Udp, 5000)],
        durable: true,
        hosted: true,
        outside: true,
        credentials: true,
        variables: ["API_TOKEN", "SITE"].map(str::to_owned).into(),
        capacity: 2.5,
        labels: vec![odd.clone(), "site=north".to_owned()],
        ..part("odd", "hosted")
    };
    let plain = Part {
        listen: Some("10.0.0.7:7400".to_owned()),
        peers: peers(&[("hosted", "hosted.odd.svc:8080")]),
        labels: vec![odd],
        capacity: 0.001,
        ..part("odd", "plain")
    };
    let alone = Part {
        listen: Some("127.0.0.1:7400".to_owned()),
        linking: Linking::Static(Arch::Aarch64),
        ..part("odd", "static")
    };
    let web = Part {
        http: true,
        replicable: true,
        ..part("odd", "web")
    };
    let silent = Part {
        durable: true,
        ..part("odd", "silent")
    };
    vec![hosted, plain, alone, web, silent]
}

fn in_cluster(node: &str) -> String {
    format!("{node}.plant.svc:7401")
}

fn by_name(node: &str) -> String {
    format!("{node}:7401")
}

/// All that is written, in a folder of its own.
fn written(parts: &[Part], kind: Kind) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = write(parts, kind, folder.path()).expect("they are written");
    let again = write(parts, kind, folder.path()).expect("they are written again");
    assert_eq!(files, again);
    (folder, files)
}

fn whole(parts: &[Part], kind: Kind) -> String {
    let (folder, files) = written(parts, kind);
    let file = |path: &PathBuf| {
        let name = path.strip_prefix(folder.path()).expect("in the folder");
        let text = std::fs::read_to_string(path).expect("it was written");
        format!("==== {}\n{text}", name.display())
    };
    files.iter().map(file).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_for_docker() {
    insta::assert_snapshot!(whole(&example(by_name), Kind::Docker));
}

#[test]
fn the_example_for_kubernetes() {
    insta::assert_snapshot!(whole(&example(in_cluster), Kind::Kubernetes));
}

#[test]
fn the_example_for_systemd() {
    insta::assert_snapshot!(whole(
        &example(|node| format!("{node}.example.org:7401")),
        Kind::Systemd
    ));
}

#[test]
fn all_there_can_be_for_docker() {
    insta::assert_snapshot!(whole(&odd(), Kind::Docker));
}

#[test]
fn kubernetes_takes_the_manifests() {
    for parts in [example(in_cluster), odd()] {
        let (_folder, files) = written(&parts, Kind::Kubernetes);
        let manifests = files.iter().filter(|file| {
            file.parent()
                .is_some_and(|folder| folder.ends_with("kubernetes"))
                && !file.ends_with("kustomization.yaml")
        });
        for file in manifests {
            let mut check = tool("kubernetes-validate");
            check.arg("--strict").arg(file);
            content(check, file);
        }
    }
}

#[test]
fn the_kustomization_names_every_manifest() {
    use saphyr::{LoadableYamlNode, Yaml};
    let (folder, files) = written(&odd(), Kind::Kubernetes);
    let folder = folder.path().join("kubernetes");
    let text = std::fs::read_to_string(folder.join("kustomization.yaml")).expect("it is there");
    let read = Yaml::load_from_str(&text).expect("it is YAML");
    let named: BTreeSet<PathBuf> = (read[0]["resources"].as_sequence().expect("a list").iter())
        .map(|name| folder.join(name.as_str().expect("a name")))
        .collect();
    let of_cluster =
        |file: &&PathBuf| file.starts_with(&folder) && !file.ends_with("kustomization.yaml");
    assert_eq!(named, files.iter().filter(of_cluster).cloned().collect());
}

#[test]
fn compose_takes_its_file() {
    for parts in [example(by_name), odd()] {
        let (folder, _) = written(&parts, Kind::Docker);
        let file = folder.path().join("compose.yaml");
        let mut check = tool("check-jsonschema");
        check
            .args(["--builtin-schema", "vendor.compose-spec"])
            .arg(&file);
        content(check, &file);
    }
}

#[test]
fn the_linter_takes_the_dockerfiles() {
    for parts in [example(by_name), odd()] {
        let (_folder, files) = written(&parts, Kind::Docker);
        for file in files
            .iter()
            .filter(|file| file.extension().is_some_and(|e| e == "Dockerfile"))
        {
            let mut check = tool("hadolint");
            check
                .args([
                    "--no-color",
                    "--failure-threshold",
                    "style",
                    "--config",
                    "/dev/null",
                ])
                .arg(file);
            content(check, file);
        }
    }
}

/// systemd's own check, with another program in the place of each part's, and without the keys that a systemd before 254 does not know
/// if it is such a one that checks.
#[test]
fn systemd_takes_the_units() {
    let there = Command::new("systemd-analyze").arg("--version").output();
    let there = there.expect("systemd-analyze is there: else install systemd, as `.ci/run` does");
    let version = String::from_utf8_lossy(&there.stdout).into_owned();
    let version = version
        .split_whitespace()
        .nth(1)
        .and_then(|v| v.split('.').next()?.parse().ok());
    let new = version.is_some_and(|version: u32| version >= 254);
    let known = |line: &&str| {
        new || !(line.starts_with("RestartSteps=") || line.starts_with("RestartMaxDelaySec="))
    };
    let mut parts = example(by_name);
    parts.extend(odd());
    parts
        .iter_mut()
        .for_each(|part| part.mesh = "all".to_owned());
    let (_folder, files) = written(&parts, Kind::Systemd);
    assert_eq!(files.len(), parts.len());
    for (file, part) in files.iter().zip(&parts) {
        let text = std::fs::read_to_string(file).expect("it is there");
        let program = format!("ExecStart=/opt/vgdc/all/{} ", part.node);
        assert!(text.contains(&program), "{text}");
        let text = text.replace(&program, "ExecStart=/bin/true ");
        let lines: Vec<&str> = text.lines().filter(known).collect();
        std::fs::write(file, lines.join("\n") + "\n").expect("it is written");
        let mut check = Command::new("systemd-analyze");
        check
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(file);
        let said = check.output().expect("systemd-analyze runs");
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        assert!(said.status.success() && !text.contains(&name), "{text}");
    }
}

#[test]
fn addresses_that_do_not_lead_there_are_told() {
    let parts = example(|_| "127.0.0.1:7402".to_owned());
    for kind in [Kind::Docker, Kind::Kubernetes, Kind::Systemd] {
        let said = warnings(&parts, kind);
        assert!(
            said.iter()
                .any(|line| line.contains("office") && line.contains("127.0.0.1:7402")),
            "{said:?}"
        );
        assert!(whole(&parts, kind).contains("# WARNING"));
    }
    assert_eq!(warnings(&example(by_name), Kind::Docker), [""; 0]);
    let said = warnings(&example(in_cluster), Kind::Kubernetes);
    assert!(
        matches!(&*said, [line] if line.contains("SENSOR_PORT")),
        "{said:?}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let error = write(&odd(), Kind::Systemd, &file).expect_err("a file is no folder");
    assert!(error.to_string().contains("cannot write"), "{error}");
}

#[test]
fn a_program_that_is_too_new_for_every_image_is_an_error() {
    let mut new = part("plant", "gateway");
    if let Linking::Dynamic { glibc, .. } = &mut new.linking {
        *glibc = (2, 99);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let error = write(&[new], Kind::Docker, folder.path()).expect_err("no image has it");
    assert!(error.to_string().contains("2.99"), "{error}");
}
