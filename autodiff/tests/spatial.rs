//! Convolution and pooling beside their definitions, and at their edges. What holds for every op
//! is asked of them in the table of all ops.

mod spatial {
    mod conv;
    mod pool;
}
