//! Plans of hostile reports are escaped in every format.
