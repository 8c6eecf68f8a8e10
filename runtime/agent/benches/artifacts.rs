//! What artifacts cost, printed: `cargo bench -p vgdc-agent --bench artifacts [PROGRAM [PROGRAM [FOLDER START]]]`. Without arguments it makes up
//! two programs of 26 MiB that differ in what is appended to them, and a folder of 5,000 small files. `VGDC_BENCH_FOLDER` says where the stores
//! are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use vgdc_agent::artifacts::{
    ArtifactId, Kind, Limits, Policy, Signed, Signer, Statement, Store, Trusted, Verifier, fetch,
    push, serve,
};

/// How often each is measured; the median is printed.
const RUNS: usize = 5;

struct All;

impl Policy for All {
    fn may_fetch(&self, _: &ArtifactId) -> Result<(), String> {
        Ok(())
    }

    fn may_push(&self, _: &ArtifactId, _: u64) -> Result<(), String> {
        Ok(())
    }
}

impl Signer for All {
    fn key(&self) -> [u8; 32] {
        [0; 32]
    }

    fn sign(&self, _: &[u8]) -> [u8; 64] {
        [0; 64]
    }
}

impl Verifier for All {
    fn verify(&self, _: &[u8; 32], _: &[u8], _: &[u8; 64]) -> Result<(), String> {
        Ok(())
    }
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&seed.to_be_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn made_up(at: &Path) -> (PathBuf, PathBuf, PathBuf, String) {
    let runner = noise(1, 26 << 20);
    let program = |name: &str, plan: u64| {
        let path = at.join(name);
        let bytes = [&runner[..], &noise(plan, 40_000)].concat();
        fs::write(&path, bytes).expect("written");
        path
    };
    let folder = at.join("hosted");
    for number in 0..5_000_u64 {
        let inner = folder.join(format!("node_modules/package{}/lib", number % 200));
        fs::create_dir_all(&inner).expect("made");
        let length = (number * 7_919 % 12_000) as usize;
        fs::write(inner.join(format!("{number}.js")), noise(number, length)).expect("written");
    }
    let first = program("first", 2);
    fs::copy(&first, folder.join("start")).expect("copied");
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder.join("start"), fs::Permissions::from_mode(0o755)).expect("set");
    (first, program("second", 3), folder, "start".into())
}

fn trusted(id: ArtifactId) -> Trusted {
    let statement = Statement {
        artifact: id,
        flow: String::new(),
        part: String::new(),
        version: String::new(),
        target: String::new(),
    };
    let signed: Signed = statement.sign(&All).expect("short");
    signed.verify(&All).expect("trusted")
}

fn open(at: &Path) -> Arc<Store> {
    Arc::new(Store::open(at, Limits::default()).expect("opened"))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[derive(Default)]
struct Times {
    import: Vec<Duration>,
    unpack: Vec<Duration>,
    check: Vec<Duration>,
    fetch: Vec<Duration>,
    push: Vec<Duration>,
}

fn timed<T>(into: &mut Vec<Duration>, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = work();
    into.push(begin.elapsed());
    done
}

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let base = std::env::var_os("VGDC_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let at = tempfile::tempdir_in(base).expect("a folder");
    let (first, second, folder, start) = match &args[..] {
        [first, second, folder, start] => {
            (first.into(), second.into(), folder.into(), start.clone())
        }
        _ => made_up(at.path()),
    };
    let (first, second) = match &args[..] {
        [a, b, ..] => (a.into(), b.into()),
        _ => (first, second),
    };
    let hosted = Kind::Folder { program: start };
    let cases = [
        ("first program", &first, Kind::Program),
        ("second program", &second, Kind::Program),
        ("folder", &folder, hosted),
    ];
    let mut times: Vec<Times> = cases.iter().map(|_| Times::default()).collect();
    let mut grown = [0; 3];
    let mut moved = [0; 3];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for run in 0..RUNS {
        let store = |name: &str| open(&at.path().join(format!("{name}{run}")));
        let (here, there, third) = (store("here"), store("there"), store("third"));
        for (number, (_, path, kind)) in cases.iter().enumerate() {
            let times = &mut times[number];
            let before = here.used();
            let id = timed(&mut times.import, || here.import(path, kind)).expect("imported");
            grown[number] = here.used() - before;
            timed(&mut times.unpack, || here.unpack(&trusted(id))).expect("unpacked");
            timed(&mut times.check, || here.unpack(&trusted(id))).expect("unpacked");
            let server = here.clone();
            let (line, _) = runtime.block_on(pair(server));
            let mut bytes = 0;
            timed(&mut times.fetch, || {
                runtime.block_on(fetch(there.clone(), line, id, "here", |p| bytes = p.bytes))
            })
            .expect("fetched");
            moved[number] = bytes;
            let (line, served) = runtime.block_on(pair(third.clone()));
            timed(&mut times.push, || {
                runtime.block_on(push(here.clone(), line, id, "third", |_| {}))
            })
            .expect("pushed");
            runtime.block_on(served).expect("served");
        }
    }
    println!(
        "median of {RUNS}: import, unpack, unpack again (check), fetch and push over TCP on this machine"
    );
    for (number, (name, path, _)) in cases.iter().enumerate() {
        let times = std::mem::take(&mut times[number]);
        println!(
            "{name} ({}): stored {} B more, sent {} B; {:.0?} {:.0?} {:.0?} {:.0?} {:.0?}",
            path.display(),
            grown[number],
            moved[number],
            median(times.import),
            median(times.unpack),
            median(times.check),
            median(times.fetch),
            median(times.push)
        );
    }
}

/// A connection to a server of this store.
async fn pair(store: Arc<Store>) -> (TcpStream, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("an address");
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("accepted");
        stream.set_nodelay(true).expect("set");
        serve(store, stream, &All).await.expect("served");
    });
    let line = TcpStream::connect(address).await.expect("connected");
    line.set_nodelay(true).expect("set");
    (line, served)
}
