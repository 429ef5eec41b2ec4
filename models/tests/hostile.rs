//! Files that mean harm: every one an error, in bounded time and memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cornu_autodiff::{DType, Tensor};
use cornu_layers::prelude::*;
use cornu_models::saving::{inspect, read_npy, read_npz, read_safetensors, write_npz};
use cornu_models::{Model, Sequential};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Counts what is allocated, so that a bomb shows.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `alloc` got it from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Tests measure one after another.
static ONE: Mutex<()> = Mutex::new(());

/// What `read` gives, and how much memory it took at most. No file takes long: the small ones of
/// these tests milliseconds, and what a bomb may unpack to a moment.
fn measured<R>(read: impl FnOnce() -> R) -> (R, usize) {
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let begin = Instant::now();
    let result = read();
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    (result, MOST.load(Ordering::Relaxed) - before)
}

/// What reading a file of this size may take: a small multiple of it, and what any file may.
fn allowed(size: usize) -> usize {
    80 * size + (40 << 20)
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/../tests/keras/files/{name}", env!("CARGO_MANIFEST_DIR")))
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cornu-hostile-{}-{name}", std::process::id()))
}

fn small() -> Sequential {
    Sequential::new().with(Dense::new(2).input_dim(3)).unwrap()
}

/// Files of HDF5, and what is said of them; nothing where all is right.
const WEIGHTS: &[(&str, &str)] = &[
    ("right", ""),
    ("latest", ""),
    ("other_kinds", ""),
    ("bfloat16", ""),
    ("cycle", "or a group that contains itself"),
    ("soft_cycle", ""),
    ("external_link", "no value for `sequential/dense/bias`"),
    ("external_data", "its values must be readable"),
    ("virtual", ""),
    ("huge", "of shape [1073741824, 1073741824] for `sequential/dense/kernel` of shape [3, 2]"),
    ("huge_contiguous", "of shape [1099511627776] for `sequential/dense/kernel`"),
    ("huge_chunk", ""),
    ("deep", "at most 80 groups may lie within each other"),
    ("wide", "and 1180 more"),
    ("nan", "every element must be finite; got NaN or an infinity"),
    ("text", "its elements must be numbers"),
    ("compound", "its elements must be numbers"),
    ("group", "no value for `sequential/dense/bias`, at `layers/dense/vars/1`"),
    ("empty", "`layers/dense/vars/1`"),
];

#[test]
fn each_hostile_file_of_weights_is_an_error_that_says_why() {
    let _one = ONE.lock().unwrap();
    for (name, said) in WEIGHTS {
        let path = file(&format!("hostile/{name}.weights.h5"));
        let size = std::fs::metadata(&path).unwrap().len() as usize;
        let model = small();
        let (result, memory) = measured(|| model.load_weights(&path));
        assert!(memory < allowed(size), "{name}: {memory} bytes");
        let text = result.err().map_or(String::new(), |e| e.to_string());
        assert!(text.contains(said), "{name}: {text}");
        let (_, memory) = measured(|| inspect(&path));
        assert!(memory < allowed(size), "inspect {name}: {memory} bytes");
        // What a file points to elsewhere, or never wrote, counts as zeros.
        if said.is_empty() && !["virtual", "huge_chunk"].contains(name) {
            assert_eq!(text, "", "{name}");
            let weights = model.get_weights();
            let values = (weights[0].to_f64_vec().unwrap(), weights[1].to_f64_vec().unwrap());
            assert_eq!(values, (vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], vec![0.0, 1.0]), "{name}");
        }
    }
}

/// A stream of numbers that are the same each time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ x >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Bytes that were cut off, flipped, overwritten or moved.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..1 + self.below(3) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
                2 => {
                    let end = (at + self.below(32)).min(bytes.len());
                    bytes[at..end].fill(0xff);
                }
                3 => {
                    let large = [u64::MAX, 1 << 40, 0, 1 << 31, self.next()][self.below(5)];
                    let end = (at + 8).min(bytes.len());
                    bytes[at..end].copy_from_slice(&large.to_le_bytes()[..end - at]);
                }
                4 => {
                    let from = self.below(bytes.len());
                    let count = self.below(64).min(bytes.len() - at.max(from));
                    bytes.copy_within(from..from + count, at);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = self.next() as u8;
                    }
                }
            }
        }
        bytes
    }
}

/// How many mutants of each file are read: `CORNU_MUTANTS`, or so many as take seconds.
fn mutants() -> usize {
    std::env::var("CORNU_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(150)
}

/// Reads mutants of a file; none may panic or take much memory.
fn try_mutants(name: &str, bytes: &[u8], read: impl Fn(&[u8])) {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut numbers = Numbers(name.len() as u64);
    for at in 0..mutants() {
        let mutant = numbers.mutate(bytes);
        let ((), memory) = measured(|| read(&mutant));
        assert!(memory < allowed(bytes.len()), "{name}: mutant {at}: {memory} bytes");
    }
}

/// The members of a zip file.
fn members(name: &str) -> Vec<(String, Vec<u8>)> {
    let bytes = std::fs::read(file(name)).unwrap();
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let content = |name: String| {
        let mut bytes = Vec::new();
        std::io::copy(&mut zip.by_name(&name).unwrap(), &mut bytes).unwrap();
        (name, bytes)
    };
    names.into_iter().map(content).collect()
}

/// A zip file of these members.
fn zipped(members: &[(String, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Trains nothing: only that the model can be called, if there is one.
fn load(bytes: &[u8]) {
    let _ = Model::from_bytes(bytes.to_vec());
}

#[test]
fn mutants_of_whole_files_end_in_errors_or_models() {
    for name in ["sequential.keras", "sequential.h5", "old-2.12.0-dense.h5"] {
        try_mutants(name, &std::fs::read(file(name)).unwrap(), load);
    }
}

#[test]
fn mutants_of_members_with_right_checksums_end_in_errors_or_models() {
    for name in ["sequential.keras", "shared_nested.keras"] {
        let whole = members(name);
        for at in 0..whole.len() {
            let (member, bytes) = &whole[at];
            try_mutants(&format!("{name}: {member}"), bytes, |mutant| {
                let mut whole = whole.clone();
                whole[at].1 = mutant.to_vec();
                load(&zipped(&whole, CompressionMethod::Stored));
            });
        }
    }
}

#[test]
fn mutants_of_files_of_weights_and_arrays_end_in_errors_or_values() {
    let model = small();
    let path = temporary("weights.h5");
    let weights = std::fs::read(file("hostile/latest.weights.h5")).unwrap();
    try_mutants("weights", &weights, |mutant| {
        std::fs::write(&path, mutant).unwrap();
        let _ = model.load_weights(&path);
        let _ = inspect(&path);
    });
    let arrays = [("a".to_owned(), Tensor::from([[1.0f32, 2.0]])), ("b".into(), Tensor::scalar(3))];
    for (end, write) in [("safetensors", true), ("npz", false)] {
        let path = temporary(end);
        match write {
            true => cornu_models::saving::write_safetensors(&path, &arrays).unwrap(),
            false => write_npz(&path, &arrays).unwrap(),
        }
        let bytes = std::fs::read(&path).unwrap();
        try_mutants(end, &bytes, |mutant| {
            std::fs::write(&path, mutant).unwrap();
            let _ = (read_safetensors(&path), read_npz(&path), read_npy(&path), inspect(&path));
        });
        std::fs::remove_file(path).unwrap();
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_vocabulary_that_lies_beside_the_weights_is_that_of_its_layer() {
    let mut lookup = Sequential::new();
    lookup.add(Input::new([2]).dtype(DType::I64)).unwrap();
    lookup.add(IntegerLookup::new().vocabulary(vec![7, 9])).unwrap();
    let path = temporary("lookup.keras");
    lookup.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut whole: Vec<(String, Vec<u8>)> = Vec::new();
    for name in ["metadata.json", "config.json", "model.weights.h5"] {
        let mut bytes = Vec::new();
        std::io::copy(&mut zip.by_name(name).unwrap(), &mut bytes).unwrap();
        whole.push((name.into(), bytes));
    }
    let mut config: serde_json::Value = serde_json::from_slice(&whole[1].1).unwrap();
    config["config"]["layers"][1]["config"]["vocabulary"] = serde_json::Value::Null;
    config["config"]["layers"][1]["config"]["vocabulary_size"] = serde_json::Value::Null;
    whole[1].1 = config.to_string().into_bytes();
    let asset = "assets/layers/integer_lookup/vocabulary.txt";
    whole.push((asset.into(), b"-1\n7\n9".to_vec()));
    let again = Model::from_bytes(zipped(&whole, CompressionMethod::Deflated)).unwrap();
    let x = [Tensor::from([[9i64, 7], [3, 7]])];
    let (ours, theirs) = (lookup.call(&x).unwrap(), again.call(&x).unwrap());
    assert_eq!(ours[0].to_vec::<i64>().unwrap(), [2, 1, 0, 1]);
    assert_eq!(theirs[0].to_vec::<i64>().unwrap(), [2, 1, 0, 1]);
}

/// What is put in the place of a member, and what is said of it.
type Bomb = (&'static str, fn() -> Vec<u8>, &'static str);

const BOMBS: &[Bomb] = &[
    ("config.json", || vec![b' '; 200 << 20], "`config.json` may have"),
    ("config.json", || vec![b'['; 4 << 20], "may have"),
    ("config.json", || b"[".repeat(100_000), "the text must be JSON"),
    ("config.json", || vec![0xff; 100], "it must be UTF-8"),
    ("metadata.json", || vec![b'1'; 200 << 20], "`metadata.json` may have"),
    ("metadata.json", || b"{}".to_vec(), ""),
    ("model.weights.h5", || vec![0; 200 << 20], "`model.weights.h5` may have"),
    ("model.weights.h5", || vec![0; 1 << 20], "the file must be an HDF5 file"),
];

#[test]
fn what_is_packed_to_little_is_not_unpacked_to_much() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for (name, content, said) in BOMBS {
        let mut whole = members("sequential.keras");
        let content = content();
        let at = whole.iter().position(|(member, _)| member == name).unwrap();
        whole[at].1 = content;
        let bytes = zipped(&whole, CompressionMethod::Deflated);
        drop(whole);
        let size = bytes.len();
        let (result, memory) = measured(|| Model::from_bytes(bytes));
        let text = result.err().map_or(String::new(), |e| e.to_string());
        assert!(text.contains(said), "{name}: {text}");
        assert!(text.is_empty() == said.is_empty(), "{name}: {text}");
        assert!(memory < allowed(size), "{name}: {memory} bytes of {size}");
    }
}

#[test]
fn a_model_that_its_text_makes_huge_takes_no_memory_before_its_weights_fit() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut whole = members("sequential.keras");
    let at = whole.iter().position(|(member, _)| member == "config.json").unwrap();
    let text = String::from_utf8(whole[at].1.clone()).unwrap();
    whole[at].1 = text.replace("\"units\": 4,", "\"units\": 4000000000,").into_bytes();
    assert_ne!(whole[at].1, text.as_bytes());
    let bytes = zipped(&whole, CompressionMethod::Stored);
    let (result, memory) = measured(|| Model::from_bytes(bytes));
    let text = result.err().unwrap().to_string();
    let said = "`layers/dense/vars/0` of shape [5, 4] for `sequential/dense/kernel` of shape \
                [5, 4000000000]";
    assert!(text.contains(said), "{text}");
    assert!(memory < 10 << 20, "{memory}");
}

#[test]
fn code_in_a_file_is_refused_and_every_unknown_thing_in_it_is_listed() {
    let mut whole = members("sequential.keras");
    let at = whole.iter().position(|(member, _)| member == "config.json").unwrap();
    let text = String::from_utf8(whole[at].1.clone()).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let layers = &mut config["config"]["layers"];
    layers[1]["config"]["novelty"] = serde_json::json!(3);
    layers[2]["class_name"] = serde_json::json!("Lambda");
    layers[2]["config"]["function"] = serde_json::json!({
        "class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": null, "closure": null},
    });
    layers[3]["class_name"] = serde_json::json!("Sense");
    config["compile_config"]["loss"] = serde_json::json!("mine");
    config["compile_config"]["optimizer"]["class_name"] = serde_json::json!("Edam");
    whole[at].1 = config.to_string().into_bytes();
    let path = temporary("code.keras");
    std::fs::write(&path, zipped(&whole, CompressionMethod::Stored)).unwrap();
    let error = Model::load(&path).unwrap_err().to_string();
    for said in [
        "code.keras (Keras 3.15.1): from_json: everything in it must be known; got 5 faults:",
        "layer `dense` (Dense)",
        "`novelty`",
        "layer `dropout` (Lambda)",
        "unknown layer class `Sense`; did you mean `Dense`?",
        "unknown loss `mine`",
        "unknown optimizer `Edam`",
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    std::fs::remove_file(path).unwrap();
}
