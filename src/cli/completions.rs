//! The completions of bash, zsh and fish in `docs/completions`, made from the table.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::cli::table::{COMMANDS, Command, FLAGS, Flag, Takes};

/// The first words of commands, each once, in order.
fn families() -> Vec<&'static str> {
    let mut found: Vec<&str> = COMMANDS.iter().map(|command| command.words[0]).collect();
    found.dedup();
    found
}

/// The second words behind a first one.
fn actions(family: &str) -> Vec<&'static str> {
    of(family).filter_map(|command| command.words.get(1)).copied().collect()
}

/// The commands that begin with a word.
fn of(family: &str) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.words[0] == family)
}

/// The flags that any command takes which begins with a word, in the order of the table.
fn flags_of(family: &str) -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(move |flag| of(family).any(|command| command.takes(flag)))
}

/// What a first word is about, in a line: one command's own sentence, or that of the whole family.
fn brief(family: &str) -> &'static str {
    match family {
        "user" => "administer users",
        "ca" => "administer the authority for certificates",
        "serve" => "share the folder",
        _ => of(family).next().map_or("", |command| command.brief),
    }
}

/// Names with their dashes.
fn dashed(flags: impl Iterator<Item = &'static Flag>) -> Vec<String> {
    flags.map(|flag| format!("--{}", flag.name)).collect()
}

/// For bash.
fn bash() -> String {
    let with = |is_meant: fn(&Takes) -> bool| {
        dashed(FLAGS.iter().filter(|flag| is_meant(&flag.takes))).join(" | ")
    };
    let directories = with(|takes| matches!(takes, Takes::Directory(_)));
    let others = with(|takes| !matches!(takes, Takes::Directory(_) | Takes::Nothing(_)));
    let mut cases = String::new();
    for command in &COMMANDS[1..] {
        let pattern = match command.words {
            [family] => format!("\"{family} \"*"),
            words => format!("\"{}\"", words.join(" ")),
        };
        let options = dashed(command.flags()).join(" ");
        let _never_fails = writeln!(cases, "        {pattern}) options=\"{options}\" ;;");
    }
    let serve = dashed(COMMANDS[0].flags()).join(" ");
    let mut actions_of = String::new();
    for family in families().into_iter().filter(|family| !actions(family).is_empty()) {
        let actions = actions(family).join(" ");
        let _never_fails = write!(
            actions_of,
            "\n    elif [ \"$COMP_CWORD\" = 2 ] && [ \"$before\" = {family} ]; then\n        options=\"{actions}\""
        );
    }
    let first = families().join(" ");
    format!(
        r#"# Completion of larder(1) for bash. Made from the table in src/cli/table.rs.
_larder() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    local options="{serve}"
    case $before in
        {directories})
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return
            ;;
        {others})
            return
            ;;
    esac
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
{cases}    esac
    if [ "$COMP_CWORD" = 1 ]; then
        options="{first} --version --help $options"{actions_of}
    fi
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}}
complete -F _larder larder
"#
    )
}

/// A flag for zsh's `_arguments`.
fn zsh_flag(flag: &Flag) -> String {
    let brief = flag.brief.replace('\'', "'\\''");
    let value = match flag.takes {
        Takes::Nothing(_) => String::new(),
        Takes::Directory(_) => ":directory:_files -/".to_owned(),
        Takes::Address(_) => ":address:".to_owned(),
        Takes::Port(_) => ":port:".to_owned(),
        Takes::Text(word, _) => format!(":{}:", word.to_lowercase()),
    };
    format!("'--{}[{brief}]{value}'", flag.name)
}

/// For zsh.
fn zsh() -> String {
    let commands: Vec<String> =
        families().iter().map(|family| format!("    '{family}:{}'", brief(family))).collect();
    let mut cases = String::new();
    for family in &families()[1..] {
        let mut words = Vec::new();
        if !actions(family).is_empty() {
            words.push(format!("'2:action:({})'", actions(family).join(" ")));
            words.push("'3:name:'".to_owned());
        }
        words.extend(flags_of(family).map(zsh_flag));
        let words = words.join(" \\\n            ");
        let _never_fails = write!(
            cases,
            "    {family})\n        _arguments \\\n            {words}\n        ;;\n"
        );
    }
    let options: Vec<String> =
        COMMANDS[0].flags().map(|flag| format!("    {}", zsh_flag(flag))).collect();
    let (commands, options) = (commands.join("\n"), options.join("\n"));
    format!(
        r"#compdef larder
# Completion of larder(1) for zsh. Made from the table in src/cli/table.rs.
local -a commands options
commands=(
{commands}
)
options=(
{options}
    '--version[print the version]'
    '--help[print help]'
)
case $words[2] in
{cases}    *)
        (( CURRENT == 2 )) && _describe command commands
        _arguments $options
        ;;
esac
"
    )
}

/// When fish offers a flag: behind the words that take it, or behind none of those that don't.
fn fish_condition(flag: &Flag) -> String {
    let takes: BTreeSet<&str> = COMMANDS
        .iter()
        .filter(|command| command.takes(flag))
        .map(|command| command.words[0])
        .collect();
    let is_in = |taken: bool| {
        let names = families().into_iter().filter(|family| takes.contains(family) == taken);
        names.collect::<Vec<_>>().join(" ")
    };
    match (takes.contains("serve"), is_in(true), is_in(false)) {
        (true, _, others) if others.is_empty() => String::new(),
        // Also before there is any command, since that is `serve`.
        (true, _, others) => format!(" -n \"not __fish_seen_subcommand_from {others}\""),
        (false, behind, _) => format!(" -n \"__fish_seen_subcommand_from {behind}\""),
    }
}

/// A sentence as fish shows it.
fn sentence(brief: &str) -> String {
    let (first, rest) = brief.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// For fish.
fn fish() -> String {
    let mut lines = vec![
        "# Completion of larder(1) for fish. Made from the table in src/cli/table.rs.".to_owned(),
        format!("set -l commands {}", families().join(" ")),
        "complete -c larder -f".to_owned(),
    ];
    let mut add = |line: String| lines.push(format!("complete -c larder{line}"));
    for family in families() {
        let brief = sentence(brief(family));
        add(format!(
            " -n \"not __fish_seen_subcommand_from $commands\" -a \"{family}\" -d \"{brief}\""
        ));
        if !actions(family).is_empty() {
            let actions = actions(family).join(" ");
            add(format!(" -n \"__fish_seen_subcommand_from {family}\" -a \"{actions}\""));
        }
    }
    for flag in FLAGS {
        let value = match flag.takes {
            Takes::Nothing(_) => "",
            Takes::Directory(_) => " -x -a \"(__fish_complete_directories)\"",
            _ => " -x",
        };
        let (condition, brief) = (fish_condition(flag), sentence(flag.brief));
        add(format!("{condition} -l {}{value} -d \"{brief}\"", flag.name));
    }
    add(" -l version -d \"Print the version\"".to_owned());
    add(" -l help -d \"Print help\"".to_owned());
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::manual::tests::must_stand_in;

    #[test]
    fn the_completions_are_what_the_table_makes() {
        must_stand_in("docs/completions/larder.bash", &bash());
        must_stand_in("docs/completions/_larder", &zsh());
        must_stand_in("docs/completions/larder.fish", &fish());
    }

    #[test]
    fn bash_offers_what_belongs_to_the_command() {
        let offered = |words: &str| {
            let script = format!(
                "{}\nCOMP_WORDS=({words} ''); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _larder; echo \"${{COMPREPLY[*]}}\"",
                bash()
            );
            let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            assert!(output.stderr.is_empty(), "{output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        assert_eq!(offered("larder user"), "list add passwd delete totp-off");
        assert_eq!(offered("larder ca"), "renew");
        assert_eq!(offered("larder user list"), "--state");
        assert_eq!(offered("larder user add ana"), "--state --role --name --paths --paths-write");
        assert_eq!(offered("larder update"), "--check --state --root");
        assert_eq!(offered("larder --port"), "");
        assert!(
            offered("larder").starts_with(
                "serve user signin-code ca check backup update samba openapi --version"
            )
        );
        assert!(offered("larder serve").ends_with("--new-root --restore"));
    }
}
