//! `cornu predict`

use cornu_models::Model;

use crate::arguments::Predict;
use crate::{Failure, arrays, matching, models};

pub(crate) fn run(arguments: &Predict) -> Result<(), Failure> {
    arrays::check_output(&arguments.output)?;
    let model = Model::load_uncompiled(&arguments.model)?;
    let read = arrays::read(&arguments.input)?;
    let x = matching::in_order(&arguments.input, read, &models::input_names(&model)?)?;
    arrays::write(&arguments.output, model.predict_batches(x, arguments.batch_size)?)
}
