//! Stopping from outside: another thread, Ctrl-C, and a second Ctrl-C. Children of this test are
//! the test itself, told by an environment variable what to do.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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

/// A child, with the lines that it says.
struct Running(Child, BufReader<ChildStdout>);

impl Running {
    fn start(part: &str, path: &std::path::Path) -> Running {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env("CORNU_CHILD", part)
            .env("CORNU_PATH", path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
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

    fn interrupt(&self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
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
