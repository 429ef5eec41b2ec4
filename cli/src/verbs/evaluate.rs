//! `cornu evaluate`

use cornu_models::{Data, Model};
use serde_json::{Map, Value};

use crate::arguments::Evaluate;
use crate::bar::Bar;
use crate::{Failure, arrays, matching, models};

pub(crate) fn run(arguments: &Evaluate) -> Result<(), Failure> {
    let model = Model::load(&arguments.model)?;
    let (x, y) = (arrays::read(&arguments.x)?, arrays::read(&arguments.y)?);
    let x = matching::in_order(&arguments.x, x, &models::input_names(&model)?)?;
    let y = matching::targets(&arguments.y, y, &models::outputs(&model)?)?;
    let bar = Bar::new();
    let logs =
        model.evaluate_watched(x, y, Data::none(), arguments.batch_size, &mut |done, all| {
            bar.show(done, all);
        })?;
    drop(bar);
    if arguments.json {
        let logs: Map<String, Value> =
            logs.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        println!("{}", Value::Object(logs));
    } else {
        logs.iter().for_each(|(name, value)| println!("{name}: {value}"));
    }
    Ok(())
}
