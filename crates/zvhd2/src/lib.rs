//! The ZVHD2 container: to be written.
