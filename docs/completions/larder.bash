# Completion of larder(1) for bash.
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
        user)
            mapfile -t COMPREPLY < <(compgen -W "list add passwd delete" -- "$word")
            return
            ;;
    esac
    case ${COMP_WORDS[1]} in
        user) options="--state --role --name --paths --paths-write" ;;
        update) options="--state --check" ;;
        check | backup) options="--state --root" ;;
        openapi) options="" ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then
        options="serve user check backup update openapi --version --help $options"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _larder larder
