//! The variables by which programs find where their files go.

/// Those that name the directory for temporary files, here and on Windows.
pub const TEMPORARY_VARIABLES: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// Those that name the home directory, or what programs keep below it, and where that is.
pub const HOME_VARIABLES: [(&str, &str); 6] = [
    ("HOME", ""),
    ("USERPROFILE", ""),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
];
