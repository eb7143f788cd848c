//! What calls take: places, indexes and outputs.

use gosync::sources::Location;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyString;

use crate::error::value_error;

/// Text, which may be a URL, or a path.
pub(crate) struct Place(pub(crate) Location);

impl<'a, 'py> FromPyObject<'a, 'py> for Place {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            let text: String = object.extract()?;
            return text.parse().map(Self).map_err(|error| value_error(&error));
        }
        Ok(Self(Location::Path(object.extract()?)))
    }
}

/// Where an index is: in memory, or somewhere.
pub(crate) enum IndexArgument {
    Bytes(PyBackedBytes),
    Place(Location),
}

impl<'a, 'py> FromPyObject<'a, 'py> for IndexArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.extract() {
            Ok(bytes) => Ok(Self::Bytes(bytes)),
            Err(_) => object.extract().map(|Place(location)| Self::Place(location)),
        }
    }
}

/// Where something is to go: into a stream, or somewhere.
pub(crate) enum Output {
    Stream(Py<PyAny>),
    Place(Location),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Output {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if object.hasattr("write")? {
            return Ok(Self::Stream(object.to_owned().unbind()));
        }
        object.extract().map(|Place(location)| Self::Place(location))
    }
}
