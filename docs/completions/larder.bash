# Completion of larder(1) for bash. Made from the table in src/cli/table.rs.
_larder() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options="--state --root --host --port --ftp-port --new-root --restore"
    case $before in
        --state | --root)
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            return
            ;;
        --host | --port | --ftp-port | --role | --name | --paths | --paths-write)
            return
            ;;
    esac
    case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
        "user list") options="--state" ;;
        "user add") options="--state --role --name --paths --paths-write" ;;
        "user passwd") options="--state" ;;
        "user delete") options="--state" ;;
        "user totp-off") options="--state" ;;
        "signin-code "*) options="--state" ;;
        "ca renew") options="--state" ;;
        "check "*) options="--state --root" ;;
        "backup "*) options="--state --root" ;;
        "update "*) options="--check --state --root" ;;
        "samba "*) options="--state --root" ;;
        "openapi "*) options="--state" ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then
        options="serve user signin-code ca check backup update samba openapi --version --help $options"
    elif [ "$COMP_CWORD" = 2 ] && [ "$before" = user ]; then
        options="list add passwd delete totp-off"
    elif [ "$COMP_CWORD" = 2 ] && [ "$before" = ca ]; then
        options="renew"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _larder larder
