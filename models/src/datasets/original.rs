//! What MNIST and Fashion-MNIST have in common: four IDX files with known checksums.

use std::path::{Path, PathBuf};

use cornu_autodiff::{DType, Tensor};

use super::{TrainTest, idx};
use crate::error::{Error, Result};

/// A set as its makers published it.
pub(super) struct Original {
    /// What it is called.
    pub(super) set: &'static str,
    /// Where to get its files.
    pub(super) hint: &'static str,
    /// CRC-32 of the decompressed files, in the order of [`FILES`].
    pub(super) checksums: [u32; 4],
}

/// Names of the files without `.gz`, and their number of axes.
const FILES: [(&str, usize); 4] = [
    ("train-images-idx3-ubyte", 3),
    ("train-labels-idx1-ubyte", 1),
    ("t10k-images-idx3-ubyte", 3),
    ("t10k-labels-idx1-ubyte", 1),
];

impl Original {
    /// Reads the files; `checked` compares them with the originals.
    pub(super) fn load(&self, directory: &Path, checked: bool) -> Result<TrainTest> {
        let paths = self.find(directory)?;
        let mut tensors = Vec::with_capacity(FILES.len());
        for ((path, (_, rank)), expected) in paths.iter().zip(FILES).zip(self.checksums) {
            let (tensor, got) = idx::read_with_checksum(path)?;
            if tensor.rank() != rank || tensor.dtype() != DType::U8 {
                let rule = format!("there must be uint8 with {rank} axes, magic 00 00 08 0{rank}");
                return Err(Error::file(path, rule, format!("{:?}", tensor.spec())));
            }
            if checked && got != expected {
                let rule = format!("the content must be {}'s, CRC-32 {expected:08x}", self.set);
                let got = format!(
                    "{got:08x}; fetch the file again, or read your own data in this format with \
                     `load_unchecked`"
                );
                return Err(Error::file(path, rule, got));
            }
            tensors.push(tensor);
        }
        let [x_train, y_train, x_test, y_test] = tensors.try_into().expect("four files were read");
        same_rows(&paths[1], &x_train, &y_train)?;
        same_rows(&paths[3], &x_test, &y_test)?;
        if x_train.dims()[1..] != x_test.dims()[1..] {
            let rule = format!("images must be of the training images' shape {}", x_train.shape());
            return Err(Error::file(&paths[2], rule, x_test.shape()));
        }
        Ok(((x_train, y_train), (x_test, y_test)))
    }

    /// The path of each file: the plain one where both are there, or a dot for the first hyphen
    /// of the suffix, as some mirrors write it.
    fn find(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let candidates = |name: &str| {
            let dotted = name.replace("-idx", ".idx");
            [name.to_string(), format!("{name}.gz"), dotted.clone(), format!("{dotted}.gz")]
                .map(|name| directory.join(name))
        };
        let found = FILES.map(|(name, _)| candidates(name).into_iter().find(|p| p.is_file()));
        let missing: Vec<String> = (FILES.iter().zip(&found))
            .filter(|(_, path)| path.is_none())
            .map(|((name, _), _)| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            let rule = format!("{}'s four IDX files must be here, plain or with `.gz`", self.set);
            let got = format!("no {}; {}", missing.join(", no "), self.hint);
            return Err(Error::file(directory, rule, got));
        }
        Ok(found.into_iter().flatten().collect())
    }
}

fn same_rows(labels: &Path, x: &Tensor, y: &Tensor) -> Result<()> {
    let (images, got) = (x.dims()[0], y.dims()[0]);
    if images != got {
        let rule = format!("there must be a label for each of the {images} images");
        return Err(Error::file(labels, rule, format!("{got} labels")));
    }
    Ok(())
}
