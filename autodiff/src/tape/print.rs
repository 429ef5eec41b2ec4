//! A tape as text: a list for reading, a graph for drawing.

use std::fmt;

use super::Tape;
use super::log::{LOG, OUTSIDE};
use crate::op::Op;
use crate::tensor::Tensor;

impl Tape {
    /// The recorded ops as a graph in the dot language of Graphviz.
    pub fn to_dot(&self) -> String {
        let mut drawn = std::collections::HashSet::new();
        let mut dot = String::from("digraph tape {\n  rankdir = TB;\n  node [shape = box];\n");
        self.each(|i, op, inputs, output, names| {
            let label = format!("{} {}", op.name(), op.attributes());
            let label = label.trim_end().replace('\\', "\\\\").replace('"', "\\\"");
            dot += &format!("  t{i} [label = \"{label}\\n{:?}\"];\n", output.spec);
            for (x, name) in inputs.iter().zip(names) {
                if name.starts_with('x') && drawn.insert(name.clone()) {
                    dot +=
                        &format!("  {name} [label = \"{name}\\n{:?}\", shape = oval];\n", x.spec);
                }
                dot += &format!("  {name} -> t{i};\n");
            }
        });
        dot + "}\n"
    }

    /// Calls `f` with each entry's position, op, inputs, output, and the inputs' names: `t3` for
    /// the fourth recorded result, `x0`, `x1`, … for values from outside.
    fn each(&self, mut f: impl FnMut(usize, &dyn Op, &[Tensor], &Tensor, &[String])) {
        LOG.with_borrow(|log| {
            let mut outside: Vec<u64> = Vec::new();
            for at in self.start..log.len() {
                let (Some(op), range) = (&log.ops[at], log.range(at)) else { continue };
                let Some((output, inputs)) = log.tensors[range.clone()].split_last() else {
                    continue;
                };
                let name = |(x, &producer): (&Tensor, &usize)| {
                    if producer != OUTSIDE && producer >= self.start {
                        return format!("t{}", producer - self.start);
                    }
                    let known = outside.iter().position(|&id| id == x.id);
                    let number = known.unwrap_or_else(|| {
                        outside.push(x.id);
                        outside.len() - 1
                    });
                    format!("x{number}")
                };
                let names: Vec<String> =
                    inputs.iter().zip(&log.producers[range]).map(name).collect();
                f(at - self.start, &**op, inputs, output, &names);
            }
        });
    }
}

/// One line an op: `t2 = matmul(x0, t1)  float32 (2, 3)`.
impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = String::new();
        self.each(|i, op, _, output, names| {
            let (name, attributes) = (op.name(), op.attributes());
            let names = names.join(", ");
            lines += format!("t{i} = {name}({names}) {attributes}").trim_end();
            lines += &format!("  {:?}\n", output.spec);
        });
        f.write_str(&lines)
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape of {} ops", self.len())
    }
}
