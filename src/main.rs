//! The `flakedb` command; everything is in the library.

fn main() -> std::process::ExitCode {
    flakedb::cli::main()
}
