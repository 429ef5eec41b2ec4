//! `cornu predict`

use cornu_models::Model;

use crate::arguments::Predict;
use crate::bar::Bar;
use crate::{Failure, arrays, matching, models};

pub(crate) fn run(arguments: &Predict) -> Result<(), Failure> {
    arrays::check_output(&arguments.output)?;
    let model = Model::load_uncompiled(&arguments.model)?;
    let read = arrays::read(&arguments.input)?;
    let x = matching::in_order(&arguments.input, read, &models::input_names(&model)?)?;
    let bar = Bar::new();
    let outputs =
        model.predict_watched(x, arguments.batch_size, &mut |done, all| bar.show(done, all))?;
    drop(bar);
    arrays::write(&arguments.output, outputs)
}
