//! Charts and pictures of samples: what is in the files, and every way to get none.

use std::fs;
use std::path::PathBuf;

use cornu_autodiff::{DType, Tensor};
use cornu_models::plot::{Chart, Images};

fn directory(test: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cornu-plot-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// Width, height and pixels of a PNG file.
fn decode(png: &[u8]) -> (usize, usize, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (info.width as usize, info.height as usize, pixels.as_chunks::<3>().0.to_vec())
}

const BLUE: [u8; 3] = [0x00, 0x72, 0xb2];
const WHITE: [u8; 3] = [0xff; 3];

#[test]
fn a_chart_is_written_as_png_at_twice_its_size_with_the_line_where_it_belongs() {
    let file = directory("png").join("line.PNG");
    Chart::new("").size(400, 300).line("", &[0.0, 1.0], &[5.0, 5.0]).save(&file).unwrap();
    let (width, height, pixels) = decode(&fs::read(&file).unwrap());
    assert_eq!((width, height), (800, 600));
    assert_eq!(pixels[0], WHITE);
    // A level line in the middle of the plot: the same rows across, two nominal pixels thick.
    let column = |x: usize| -> Vec<usize> {
        (0..height).filter(|y| pixels[y * width + x] == BLUE).collect()
    };
    let rows = column(300);
    assert!((3..=4).contains(&rows.len()), "{rows:?}");
    assert_eq!(rows, column(600));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
}

#[test]
fn an_svg_holds_title_labels_legend_and_series_with_markup_escaped() {
    let file = directory("svg").join("loss.svg");
    let y = [0.5, 0.25, 0.125];
    let chart = Chart::new("Loss \u{7} \"falls\"").x_label("epoch").y_label("loss");
    chart.curve("train", &y).curve("a < b & c", &y).save(&file).unwrap();
    let svg = fs::read_to_string(&file).unwrap();
    for text in
        ["Loss   &quot;falls&quot;", "epoch", "loss", "train", "a &lt; b &amp; c", "0.50", "3"]
    {
        assert!(svg.contains(&format!(">\n{text}\n</text>")), "{text} is not in {svg}");
    }
    assert_eq!(svg.matches("stroke=\"#0072B2\"").count(), 2, "a line and its sample");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    let chart =
        Chart::new("same").points("data", &[1, 2, 3], &[3u8, 1, 2]).curve("c", &[1f32, 2.0]);
    let directory = directory("same");
    let bytes = |name: &str| {
        chart.save(directory.join(name)).unwrap();
        fs::read(directory.join(name)).unwrap()
    };
    assert_eq!(bytes("a.png"), bytes("b.png"));
    assert_eq!(bytes("a.svg"), bytes("b.svg"));
    assert_eq!(chart.to_svg().unwrap().into_bytes(), bytes("a.svg"));
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_value_that_is_not_finite_leaves_a_gap() {
    let y = [1.0, 2.0, f64::NAN, 3.0, 4.0, f64::INFINITY, 5.0];
    let svg = Chart::new("").curve("", &y).to_svg().unwrap();
    assert_eq!(svg.matches("stroke=\"#0072B2\"").count(), 2, "{svg}");
    assert_eq!(svg.matches("<circle").count(), 1, "a value alone is a point: {svg}");
}

#[test]
fn extreme_values_are_drawn_or_refused_never_garbled() {
    let sizes = [0.0, f64::MIN_POSITIVE / 4.0, 1e-300, 1e-30, 1.0, 1e16, 1e150];
    for (a, b) in sizes.iter().flat_map(|&a| sizes.map(|b| (a, b))) {
        for signs in [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)] {
            let y = [signs.0 * a, signs.1 * b];
            let svg = Chart::new("").line("", &y, &y).to_svg().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{y:?}: {svg}");
            assert!(svg.len() < 10_000, "{y:?}: {svg}");
        }
        if a >= f64::MIN_POSITIVE && b >= f64::MIN_POSITIVE {
            let svg = Chart::new("").log_y().log_x().line("", &[a, b], &[b, a]).to_svg().unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{a} {b}: {svg}");
        }
    }
}

#[test]
fn a_chart_that_cannot_be_drawn_says_which_series_and_why() {
    let none: [f64; 0] = [];
    let chart = || Chart::new("c");
    let cases = [
        (chart(), "chart `c`: there must be a series to draw; got none"),
        (
            chart().line("s", &[1.0, 2.0], &[1.0]),
            "chart `c`: series `s`: `x` and `y` must be of equal length; got 2 and 1",
        ),
        (
            chart().curve("s", &none),
            "chart `c`: series `s`: there must be a finite value; got none",
        ),
        (
            chart().curve("fine", &[1.0]).curve("s", &[f64::NAN, f64::INFINITY]),
            "chart `c`: series `s`: there must be a finite value; got 2 NaN or infinite ones",
        ),
        (
            chart().log_y().curve("s", &[1.0, 0.0]),
            "chart `c`: series `s`: `y` must be positive on a logarithmic axis; got 0",
        ),
        (
            chart().log_x().points("s", &[-1.0], &[1.0]),
            "chart `c`: series `s`: `x` must be positive on a logarithmic axis; got -1",
        ),
        (
            chart().curve("s", &[1e200]),
            "chart `c`: series `s`: values must lie within ±1e150; got (1e0, 1e200)",
        ),
        (
            chart().size(100, 500).curve("s", &[1.0]),
            "chart `c`: width and height must be in 200..=2000; got 100 and 500",
        ),
    ];
    let directory = directory("refused");
    let file = directory.join("chart.png");
    for (chart, text) in cases {
        assert_eq!(chart.save(&file).unwrap_err().to_string(), text);
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing is written");
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_that_leaves_the_old_one() {
    let directory = directory("files");
    let chart = Chart::new("").curve("", &[1.0, 2.0]);
    let error = |path: PathBuf| chart.save(path).unwrap_err().to_string();
    let unknown = error(directory.join("a.jpg"));
    assert!(unknown.starts_with("unknown picture format `jpg`; did you mean `png`?"), "{unknown}");
    let bare = error(directory.join("png"));
    assert!(bare.starts_with("save: the name of a picture must end in `.png` or `.svg`"), "{bare}");
    fs::write(directory.join("file"), "").unwrap();
    let inside = error(directory.join("file").join("a.png"));
    assert!(inside.contains("file: the folder can't be made; got "), "{inside}");
    fs::remove_file(directory.join("file")).unwrap();
    // A directory in the way: nothing else is left there.
    fs::create_dir(directory.join("taken.svg")).unwrap();
    let taken = error(directory.join("taken.svg"));
    assert!(taken.contains("only a file can be replaced by a file; got a folder"), "{taken}");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn missing_folders_are_made() {
    let directory = directory("folders");
    let file = directory.join("pictures").join("of today").join("loss.svg");
    Chart::new("").curve("", &[1.0, 2.0]).save(&file).unwrap();
    assert!(file.is_file());
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn images_are_drawn_dark_on_light_with_their_captions() {
    let x = Tensor::new(vec![0u8, 255, 128, 0, 0, 0, 0, 255], [2, 2, 2]).unwrap();
    let images =
        Images::new("Two", &x).unwrap().captions(&["left", "right"]).marked(&[false, true]);
    let svg = images.to_svg().unwrap();
    for part in
        ["Two\n</text>", "left\n</text>", "fill=\"#C61A09\">\nright\n</text>", "#F4F4F4", "#101010"]
    {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
    let directory = directory("images");
    images.save(directory.join("two.png")).unwrap();
    let (_, _, pixels) = decode(&fs::read(directory.join("two.png")).unwrap());
    // Two dark pixels, each 36 nominal pixels wide, drawn at twice the size.
    assert_eq!(pixels.iter().filter(|&&p| p == [0x10; 3]).count(), 2 * 72 * 72);
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn colours_are_drawn_as_they_are() {
    let bytes = Tensor::new(vec![255u8, 0, 51], [1, 1, 1, 3]).unwrap();
    let shares = Tensor::new(vec![1.0f32, 0.0, 0.2], [1, 1, 1, 3]).unwrap();
    for x in [bytes, shares] {
        assert!(Images::new("", &x).unwrap().to_svg().unwrap().contains("fill=\"#FF0033\""));
    }
}

#[test]
fn images_that_cannot_be_drawn_say_why() {
    let zeros = |dims: &[usize]| Tensor::zeros(dims.to_vec(), DType::F32);
    let nan = Tensor::full([1, 2, 2], f64::NAN, DType::F32);
    let bright = Tensor::full([1, 2, 2, 3], 1.5, DType::F32);
    let axes = "images: `x` must be (n, rows, columns), with or without 1 or 3 channels; got ";
    let cases = [
        (zeros(&[4, 4]), format!("{axes}float32 (4, 4)")),
        (zeros(&[1, 4, 4, 2]), format!("{axes}float32 (1, 4, 4, 2)")),
        (zeros(&[0, 4, 4]), "images: there must be 1 to 400 images; got float32 (0, 4, 4)".into()),
        (
            zeros(&[401, 1, 1]),
            "images: there must be 1 to 400 images; got float32 (401, 1, 1)".into(),
        ),
        (
            zeros(&[1, 0, 4]),
            "images: rows and columns must be 1 to 1024; got float32 (1, 0, 4)".into(),
        ),
        (nan, "images: every value must be finite; got NaN".into()),
        (bright, "images: a colour of float32 must be in 0..=1; got 1.5".into()),
    ];
    for (x, text) in cases {
        assert_eq!(Images::new("t", &x).unwrap_err().to_string(), text);
    }
    let two = || Images::new("t", &zeros(&[2, 4, 4])).unwrap();
    let large = Images::new("t", &zeros(&[9, 1024, 1024])).unwrap().columns(9);
    let cases = [
        (two().captions(&["one"]), "there must be 2 captions, as many as images; got 1"),
        (two().marked(&[true; 3]), "there must be 2 marks, as many as images; got 3"),
        (
            two().columns(0),
            "`columns` must give a picture of 3000 by 3000 nominal pixels at most; got 0",
        ),
        (large, "`columns` must give a picture of 3000 by 3000 nominal pixels at most; got 9"),
    ];
    for (images, text) in cases {
        assert_eq!(images.to_svg().unwrap_err().to_string(), format!("images `t`: {text}"));
    }
}
