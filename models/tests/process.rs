//! What happens to a whole program: stopped by another thread, by Ctrl-C, killed while it saves;
//! and what it prints where there is no terminal. Children of this test are the test itself, told
//! by an environment variable what to do.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cornu_autodiff::Tensor;
use cornu_layers::prelude::*;
use cornu_models::callbacks::{Callback, LambdaCallback, Run, Verbose};
use cornu_models::{Compile, Fit, Model, Result, Sequential, Stop};

const X: [[f32; 2]; 4] = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
const Y: [[f32; 1]; 4] = [[0.0], [1.0], [1.0], [0.0]];

/// The signal of Ctrl-C.
const INTERRUPT: i32 = 2;

fn xor() -> Sequential {
    let mut model = Sequential::new().seed(7);
    model.add(Dense::new(10).input_dim(2).activation("tanh")).unwrap();
    model.add(Dense::new(1).activation("sigmoid")).unwrap();
    model.compile(Compile::new().loss("binary_crossentropy").optimizer("adam")).unwrap();
    model
}

/// More epochs than anybody waits for.
fn endless<'a>() -> Fit<'a> {
    Fit::new().epochs(usize::MAX).batch_size(1).verbose(Verbose::Silent)
}

/// Where a child says how far it is.
fn say(text: &str) {
    println!("\nchild: {text}");
}

/// The part of a child in the tests below; nothing without the variable.
#[test]
fn child() {
    match std::env::var("CORNU_CHILD").as_deref() {
        Ok("saves") => saves(),
        Ok("hangs") => hangs(),
        Ok("drops") => drops(),
        Ok("overwrites") => overwrites(),
        Ok("prints") => prints(),
        _ => {}
    }
}

/// Trains until Ctrl-C, then goes on with its work.
fn saves() {
    let stop = Stop::on_ctrl_c().unwrap();
    let mut model = xor();
    let mut begun = false;
    let tell = LambdaCallback::new(|_, _, _| {
        if !std::mem::replace(&mut begun, true) {
            say("trains");
        }
        Ok(())
    });
    let history = model.fit(X, Y, endless().callback(tell).stop(&stop)).unwrap();
    assert!(stop.is_stopped());
    model.save_checkpoint(std::env::var("CORNU_PATH").unwrap()).unwrap();
    say(&format!("saved after {} epochs", history.epochs().len()));
}

/// Takes one batch that never ends.
fn hangs() {
    #[derive(Debug)]
    struct Hang;
    impl Callback for Hang {
        fn name(&self) -> &str {
            "hang"
        }
        fn on_batch_begin(&mut self, _: &mut Run<'_>, _: usize) -> Result<()> {
            say("hangs");
            loop {
                std::thread::sleep(Duration::from_millis(20));
                if Stop::on_ctrl_c()?.is_stopped() {
                    say("was stopped");
                    std::thread::sleep(Duration::from_secs(600));
                }
            }
        }
    }
    let stop = Stop::on_ctrl_c().unwrap();
    let _ = xor().fit(X, Y, endless().callback(Hang).stop(&stop));
}

/// Has handled Ctrl-C, and does so no more.
fn drops() {
    let stop = Stop::on_ctrl_c().unwrap();
    drop(stop.clone());
    assert!(!stop.is_stopped());
    drop(stop);
    say("handles nothing");
    std::thread::sleep(Duration::from_secs(600));
}

/// Saves again and again, weights that all have one value, until it is killed.
fn overwrites() {
    let path = PathBuf::from(std::env::var("CORNU_PATH").unwrap());
    let model = xor();
    for i in 0.. {
        let values: Vec<Tensor> =
            model.get_weights().iter().map(|w| w.full_like(f64::from(i))).collect();
        model.set_weights(&values).unwrap();
        match is_checkpoint(&path) {
            true => model.save_checkpoint(&path).unwrap(),
            false => model.save(&path).unwrap(),
        }
        if i == 0 {
            say("saves");
        }
    }
}

fn is_checkpoint(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "cornu")
}

/// Trains and tells of it as it does unless it is told otherwise.
fn prints() {
    xor().fit(X, Y, Fit::new().epochs(3)).unwrap();
}

/// A child, with the lines that it says.
struct Running(Child, BufReader<ChildStdout>);

fn command(part: &str, path: &std::path::Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]);
    command.env("CORNU_CHILD", part).env("CORNU_PATH", path);
    command
}

impl Running {
    fn start(part: &str, path: &std::path::Path) -> Running {
        let piped = command(part, path).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = piped.unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Running(child, out)
    }

    /// Waits until the child says it, and gives the rest of the line.
    fn until(&mut self, said: &str) -> String {
        let mut line = String::new();
        while self.1.read_line(&mut line).unwrap() > 0 {
            if let Some(rest) = line.trim().strip_prefix(&format!("child: {said}")) {
                return rest.to_owned();
            }
            line.clear();
        }
        panic!("the child never said `{said}`; it ended with {}", self.0.wait().unwrap());
    }

    fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    fn interrupt(&self) {
        self.signal("-INT");
    }

    fn end(mut self) -> ExitStatus {
        let mut rest = String::new();
        self.1.read_to_string(&mut rest).unwrap();
        self.0.wait().unwrap()
    }
}

fn temporary(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("cornu-interrupt-{}-{name}", std::process::id()))
}

#[test]
fn ctrl_c_ends_training_and_the_program_goes_on_with_the_model() {
    let path = temporary("saved.cornu");
    let mut child = Running::start("saves", &path);
    child.until("trains");
    child.interrupt();
    let said = child.until("saved after ");
    assert!(child.end().success());
    let epochs: usize = said.strip_suffix(" epochs").unwrap().parse().unwrap();
    assert!(epochs >= 1);
    let mut model = Model::load_checkpoint(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let more = Fit::new().epochs(epochs + 2).batch_size(1).verbose(Verbose::Silent).resume();
    let history = model.fit(X, Y, more).unwrap();
    assert_eq!(history.epochs().len(), epochs + 2);
    // As if nothing had happened.
    let mut whole = xor();
    let all = Fit::new().epochs(epochs + 2).batch_size(1).verbose(Verbose::Silent);
    whole.fit(X, Y, all).unwrap();
    let weights = |m: &Model| m.get_weights().iter().map(|w| w.to_vec::<f32>().unwrap()).collect();
    let [a, b]: [Vec<Vec<f32>>; 2] = [weights(&model), weights(&whole)];
    assert_eq!(a, b);
}

#[test]
fn a_second_ctrl_c_ends_the_program() {
    let mut child = Running::start("hangs", &temporary("none"));
    child.until("hangs");
    child.interrupt();
    child.until("was stopped");
    child.interrupt();
    assert_eq!(child.end().signal(), Some(INTERRUPT));
}

#[test]
fn ctrl_c_ends_the_program_once_nobody_handles_it() {
    let mut child = Running::start("drops", &temporary("none"));
    child.until("handles nothing");
    child.interrupt();
    assert_eq!(child.end().signal(), Some(INTERRUPT));
}

#[test]
fn another_thread_stops_fit_and_the_model_stays_usable() {
    let stop = Stop::new();
    let epochs = Arc::new(Mutex::new(0));
    let (seen, handle) = (epochs.clone(), stop.clone());
    let mut model = xor();
    std::thread::scope(|scope| {
        let training = scope.spawn(|| {
            let count = LambdaCallback::new(move |_, epoch, _| {
                *seen.lock().unwrap() = epoch + 1;
                Ok(())
            });
            model.fit(X, Y, endless().callback(count).stop(&stop)).unwrap()
        });
        while *epochs.lock().unwrap() == 0 {
            std::thread::yield_now();
        }
        handle.stop();
        let history = training.join().unwrap();
        assert_eq!(history.epochs().len(), *epochs.lock().unwrap());
    });
    assert!(model.predict(X).unwrap().is_finite());
    // A handle that was stopped stays so.
    let history = model.fit(X, Y, endless().stop(&stop)).unwrap();
    assert!(history.epochs().is_empty());
}

#[test]
fn a_program_that_is_killed_while_it_saves_leaves_a_whole_file() {
    let folder = temporary("killed");
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["model.cornu", "model.keras"] {
        kill_while_it_saves(&folder.join(name));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn kill_while_it_saves(path: &Path) {
    let mut last = 0.0;
    for round in 0..40 {
        let mut child = Running::start("overwrites", path);
        child.until("saves");
        // Moments that differ: a save takes some hundred microseconds, or some milliseconds.
        std::thread::sleep(Duration::from_micros(round * 997 % 9000));
        child.signal("-KILL");
        assert_eq!(child.end().signal(), Some(9));
        let model = match is_checkpoint(path) {
            true => Model::load_checkpoint(path).unwrap(),
            false => Model::load(path).unwrap(),
        };
        let values = model.get_weights();
        let values: Vec<f32> = values.iter().flat_map(|w| w.to_vec::<f32>().unwrap()).collect();
        assert!(values.iter().all(|v| *v == values[0]), "of one save, not of two: {values:?}");
        last = values[0].max(last);
    }
    assert!(last > 0.0, "no child has saved {} twice", path.display());
}

#[test]
fn without_a_terminal_an_epoch_is_a_line_and_nothing_else() {
    let output = command("prints", &temporary("none")).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains(['\r', '\u{1b}']), "{text:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for (i, line) in lines.iter().enumerate() {
        let begin = format!("Epoch {}/3 - 1/1 - 0s - loss: ", i + 1);
        assert!(line.starts_with(&begin), "{line}");
    }
}
