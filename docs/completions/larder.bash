# Completion of larder(1) for bash.
_larder() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options="--state --root --host --port --ftp-port --new-root"
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
        check) options="--state" ;;
        openapi) options="" ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then
        options="serve user check update openapi --version --help $options"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}
complete -F _larder larder
