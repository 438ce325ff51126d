//! A test binary of its own make, whose tests have the names of `names.txt`: one a line, since
//! nextest reads the names so.

fn main() {
    let names = include_str!("../names.txt");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            names.lines().for_each(|name| println!("{name}: test"));
        }
        return;
    }
    assert!(names.lines().any(|name| arguments.iter().any(|argument| argument == name)));
}
