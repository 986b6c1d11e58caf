# bash completion for rankfs(1)                            -*- shell-script -*-

_rankfs_mounts() {
	awk '$3 == "fuse.rankfs" { print $2 }' /proc/self/mounts
}

_rankfs() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local verbs="search status check rebuild compact export import mcp agents umount"

	COMPREPLY=()
	case $prev in
	-o)
		mapfile -t COMPREPLY < <(compgen -W "ro allow_other nonempty multi memory= open= expire= timeout=" -- "$cur")
		return
		;;
	-b | --backing)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	umount | mcp | agents)
		mapfile -t COMPREPLY < <(compgen -W "$(_rankfs_mounts)" -- "$cur")
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "-f -d -o -b --index --json --help --version" -- "$cur")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur"; compgen -d -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _rankfs rankfs
