//! Addresses of repositories.

/// The project of a repository's address: `owner/name`, groups included, without host or login.
///
/// A path on this machine gives its last part only, since the rest says where a clone lies, not
/// what it is.
///
/// ```
/// use flakedb::context::project_of_url;
/// assert_eq!(project_of_url("git@forge.example:team/app.git").as_deref(), Some("team/app"));
/// assert_eq!(project_of_url("https://u:p@forge.example/a/b/app").as_deref(), Some("a/b/app"));
/// assert_eq!(project_of_url("/srv/git/app.git").as_deref(), Some("app"));
/// ```
#[must_use]
pub fn project_of_url(url: &str) -> Option<String> {
    let url = url.trim();
    let path = match (url.split_once("://"), url.split_once(':')) {
        (Some(("file", path)), _) => last_part(path),
        (Some((_, rest)), _) => rest.split_once('/').map_or("", |(_host, path)| path),
        (None, Some((host, path))) if host.len() > 1 && !host.contains(['/', '\\']) => path,
        (None, _) => last_part(url),
    };
    let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    // Azure puts `_git` into https addresses and a version in front of ssh ones.
    let parts: Vec<&str> = path
        .split('/')
        .enumerate()
        .filter(|&(index, part)| !part.is_empty() && part != "_git" && (index > 0 || part != "v3"))
        .map(|(_, part)| part)
        .collect();
    let project: String = parts.join("/").chars().filter(|c| !c.is_control()).collect();
    (!project.is_empty()).then_some(project)
}

fn last_part(path: &str) -> &str {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_common_form_of_an_address_gives_owner_and_name() {
        let table = [
            ("https://forge.example/owner/name.git", Some("owner/name")),
            ("https://forge.example/owner/name/", Some("owner/name")),
            ("https://token@forge.example/owner/name", Some("owner/name")),
            ("ssh://git@forge.example:2222/group/sub/name.git", Some("group/sub/name")),
            ("forge.example:owner/name", Some("owner/name")),
            ("https://dev.azure.com/org/project/_git/repo", Some("org/project/repo")),
            ("git@ssh.dev.azure.com:v3/org/project/repo", Some("org/project/repo")),
            ("file:///srv/git/name.git", Some("name")),
            ("../name", Some("name")),
            ("C:\\work\\name", Some("name")),
            ("", None),
            ("https://forge.example", None),
        ];
        for (url, project) in table {
            assert_eq!(project_of_url(url).as_deref(), project, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_address_panics_or_gives_control_characters(url in "\\PC*|[ -~\n]*") {
            let project = project_of_url(&url).unwrap_or_default();
            prop_assert!(!project.chars().any(char::is_control));
        }
    }
}
