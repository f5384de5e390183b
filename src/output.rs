//! The output folder: it appears complete or not at all, and nothing of anybody else's is ever replaced.
//!
//! Results are written into a folder beside the target, which then takes the target's place by renaming. A marker file
//! lists what shardlab wrote; a folder without it, or with files that are not on the list, is refused.

use crate::terminal::visible;
use anyhow::{Context, bail, ensure};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Lists the files that shardlab wrote into a folder, one a line below its first line.
const MARKER: &str = ".shardlab-output";
const MARKER_TITLE: &str = "Written by shardlab, which replaces this folder as a whole. Its files:";

/// A folder that shardlab may write.
#[derive(Debug)]
pub(crate) struct OutputFolder {
    target: PathBuf,
    name: OsString,
}

/// A file of the set.
pub(crate) struct OutputFile {
    /// Its path within the folder, with forward slashes.
    pub(crate) name: String,
    /// Its contents.
    pub(crate) contents: String,
}

impl OutputFolder {
    /// Checks, before anything runs, that the folder is new, empty or shardlab's own.
    pub(crate) fn claim(target: &Path) -> anyhow::Result<Self> {
        let Some(name) = target.file_name() else {
            bail!(
                "the output folder needs a name of its own, which {} is not",
                shown(target)
            );
        };
        let folder = Self {
            target: target.to_owned(),
            name: name.to_owned(),
        };
        folder.check()?;
        Ok(folder)
    }
    /// Where the results will be.
    pub(crate) fn path(&self) -> &Path {
        &self.target
    }

    fn check(&self) -> anyhow::Result<()> {
        let path = shown(&self.target);
        let kind = match fs::symlink_metadata(&self.target) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("the output folder {path} cannot be read")),
        };
        ensure!(
            kind.is_dir(),
            "{path} exists and is not a folder, so no results can go there"
        );
        let marker = fs::read_to_string(self.target.join(MARKER)).ok();
        let ours: Vec<&str> = marker.iter().flat_map(|text| text.lines().skip(1)).collect();
        if let Some(found) = self.entries(Path::new(""), &ours)?.into_iter().next() {
            if marker.is_none() {
                bail!(
                    "the folder {path} was not written by shardlab (it contains {found}) and is left alone; \
                     choose another one with --out"
                );
            }
            bail!(
                "the folder {path} contains {found}, which shardlab did not write; \
                 move it elsewhere or choose another folder with --out"
            );
        }
        Ok(())
    }
    /// What lies in a folder within the target and is not ours.
    fn entries(&self, within: &Path, ours: &[&str]) -> anyhow::Result<Vec<String>> {
        let folder = self.target.join(within);
        let unreadable = || format!("the output folder {} cannot be listed", shown(&folder));
        let mut foreign = Vec::new();
        for entry in fs::read_dir(&folder).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let path = within.join(entry.file_name());
            let name = listed(&path);
            let is_ours = name
                .as_deref()
                .is_some_and(|name| name == MARKER || ours.contains(&name));
            let holds_ours = name
                .as_deref()
                .is_some_and(|name| ours.iter().any(|path| path.starts_with(&format!("{name}/"))));
            if holds_ours && entry.file_type().with_context(unreadable)?.is_dir() {
                foreign.extend(self.entries(&path, ours)?);
            } else if !is_ours {
                foreign.push(shown(&path));
            }
        }
        foreign.sort();
        Ok(foreign)
    }

    /// Writes the whole set, in place of an earlier one.
    pub(crate) fn write(&self, files: &[OutputFile]) -> anyhow::Result<()> {
        self.check()?;
        let parent = match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).with_context(|| format!("the folder {} cannot be created", shown(parent)))?;
        let fresh = Temporary(self.beside(parent, "new"));
        let failed = || format!("the results cannot be written to {}", shown(&self.target));
        fresh.fill(files).with_context(failed)?;

        let earlier = Temporary(self.beside(parent, "old"));
        let replaced = self.target.exists();
        if replaced {
            fs::rename(&self.target, &earlier.0).with_context(failed)?;
        }
        if let Err(error) = fs::rename(&fresh.0, &self.target) {
            if replaced {
                // The earlier set comes back. If even that fails, the first error says enough.
                let _ = fs::rename(&earlier.0, &self.target);
            }
            return Err(error).with_context(failed);
        }
        Ok(())
    }
    /// A hidden neighbour of the target that no other process uses.
    fn beside(&self, parent: &Path, purpose: &str) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(format!(".{purpose}-{}", std::process::id()));
        parent.join(name)
    }
}

/// A folder that is removed when it is no longer needed, if it is still there.
struct Temporary(PathBuf);

impl Temporary {
    fn fill(&self, files: &[OutputFile]) -> std::io::Result<()> {
        fs::create_dir(&self.0)?;
        let mut marker = format!("{MARKER_TITLE}\n");
        for file in files {
            let path = self.0.join(&file.name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            write_durably(&path, &file.contents)?;
            marker.push_str(&file.name);
            marker.push('\n');
        }
        write_durably(&self.0.join(MARKER), &marker)
    }
}
impl Drop for Temporary {
    fn drop(&mut self) {
        // Best effort: after a successful rename there is nothing to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A path within the set as the marker lists it, with forward slashes. A backslash is part of a name wherever it does
/// not separate names. `None` for a name that is not text.
fn listed(path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path.iter().map(OsStr::to_str).collect();
    names.map(|names| names.join("/"))
}

fn write_durably(path: &Path, contents: &str) -> std::io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of the test's own under the target directory.
    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("shardlab-output-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the temporary directory is writable");
        path
    }
    fn set(contents: &str) -> [OutputFile; 1] {
        [OutputFile {
            name: "summary.json".to_owned(),
            contents: contents.to_owned(),
        }]
    }
    fn names(path: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(path)
            .expect("the folder is there")
            .map(|entry| {
                entry
                    .expect("the entry is readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_set_replaces_an_earlier_one_and_leaves_nothing_beside_it() {
        let home = scratch("replace");
        let folder = OutputFolder::claim(&home.join("deep/run")).expect("a new folder may be claimed");
        folder.write(&set("one")).expect("the first set is written");
        folder.write(&set("two")).expect("the second set replaces it");
        assert_eq!(names(&home.join("deep")), ["run"]);
        assert_eq!(names(&home.join("deep/run")), [MARKER, "summary.json"]);
        let text = fs::read_to_string(home.join("deep/run/summary.json")).expect("the file is there");
        assert_eq!(text, "two");
        fs::remove_dir_all(home).expect("the scratch folder can go");
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_left_alone() {
        let home = scratch("foreign");
        fs::write(home.join("thesis.tex"), "years of work").expect("the file can be written");
        let refusal = OutputFolder::claim(&home)
            .expect_err("a foreign folder is refused")
            .to_string();
        assert!(
            refusal.contains("was not written by shardlab (it contains thesis.tex)"),
            "{refusal}"
        );
        assert_eq!(names(&home), ["thesis.tex"]);
        fs::remove_dir_all(home).expect("the scratch folder can go");
    }

    #[test]
    fn a_file_that_somebody_put_among_the_results_is_not_lost() {
        let home = scratch("mixed");
        let folder = OutputFolder::claim(&home.join("run")).expect("a new folder may be claimed");
        folder.write(&set("one")).expect("the set is written");
        fs::write(home.join("run/my-notes.md"), "mine").expect("the file can be written");
        let refusal = folder
            .write(&set("two"))
            .expect_err("the notes would be lost")
            .to_string();
        assert!(
            refusal.contains("contains my-notes.md, which shardlab did not write"),
            "{refusal}"
        );
        let text = fs::read_to_string(home.join("run/summary.json")).expect("the file is there");
        assert_eq!(text, "one");
        fs::remove_dir_all(home).expect("the scratch folder can go");
    }

    #[test]
    fn a_folder_within_the_set_is_ours_as_far_as_we_filled_it() {
        let home = scratch("nested");
        let folder = OutputFolder::claim(&home.join("run")).expect("a new folder may be claimed");
        let nested = [OutputFile {
            name: "charts/records.svg".to_owned(),
            contents: "<svg/>".to_owned(),
        }];
        folder.write(&nested).expect("the set is written");
        folder.write(&set("two")).expect("a set with other folders replaces it");
        assert_eq!(names(&home.join("run")), [MARKER, "summary.json"]);
        folder.write(&nested).expect("the set is written");
        fs::write(home.join("run/charts/mine.svg"), "mine").expect("the file can be written");
        let refusal = folder.check().expect_err("it would be lost").to_string();
        assert!(refusal.contains("contains charts/mine.svg, which"), "{refusal}");
        fs::remove_dir_all(home).expect("the scratch folder can go");
    }

    #[cfg(unix)]
    #[test]
    fn a_backslash_in_a_name_makes_it_no_file_of_ours() {
        let home = scratch("backslash");
        let folder = OutputFolder::claim(&home.join("run")).expect("a new folder may be claimed");
        let nested = [OutputFile {
            name: "charts/records.svg".to_owned(),
            contents: "<svg/>".to_owned(),
        }];
        folder.write(&nested).expect("the set is written");
        let foreign = home.join(r"run/charts\records.svg");
        fs::write(&foreign, "mine").expect("the file can be written");
        let refusal = folder.write(&nested).expect_err("it would be lost").to_string();
        assert!(refusal.contains(r"contains charts\records.svg, which"), "{refusal}");
        assert_eq!(fs::read_to_string(&foreign).expect("it is still there"), "mine");
        fs::remove_dir_all(home).expect("the scratch folder can go");
    }

    #[test]
    fn a_file_or_a_nameless_path_cannot_become_a_folder() {
        let home = scratch("file");
        fs::write(home.join("run"), "a file").expect("the file can be written");
        assert!(OutputFolder::claim(&home.join("run")).is_err());
        assert!(OutputFolder::claim(Path::new("..")).is_err());
        fs::remove_dir_all(home).expect("the scratch folder can go");
    }
}
