# What lies in the package, looked at without installing it.

inside() {
    INSIDE=$WORK/inside
    rm -rf "$INSIDE"
    dpkg-deb -R "$DEB" "$INSIDE"
    if command -v lintian >/dev/null; then
        holds "lintian finds no error" lintian --fail-on error --tag-display-limit 0 --allow-root "$DEB"
    else
        say "without lintian, which is not installed"
    fi
    holds "no file is writable by others, and all are root's" owned_by_root
    holds "every manual page renders without a warning" pages_render
    holds "every command has a manual page" commands_have_pages
    prints "bash completes commands" "run runs" completed_by_bash ru
    prints "bash completes the options of a command" "--from-bucket" completed_by_bash ledger restore --fr
    holds_if zsh "zsh reads its completions" zsh -n "$INSIDE/usr/share/zsh/vendor-completions/_nightferry"
    prints_if fish "fish completes commands" "run runs" completed_by_fish
    holds "the example is what \`init\` prints" \
        cmp "$INSIDE/usr/share/doc/nightferry/examples/nightferry.toml" <("$BINARY" init)
    holds "no configuration is installed" test ! -e "$INSIDE/etc"
    holds "policies are JSON" policies_are_json
}

holds_if() {
    local shell=$1
    shift
    if command -v "$shell" >/dev/null; then holds "$@"; else say "without $shell, which is not installed"; fi
}

prints_if() {
    local shell=$1
    shift
    if command -v "$shell" >/dev/null; then prints "$@"; else say "without $shell, which is not installed"; fi
}

owned_by_root() {
    ! dpkg-deb -c "$DEB" | grep -Ev '^[-d]rw[-x]r-[-x]r-[-x] (root/root|0/0)'
}

pages_render() {
    local page
    for page in "$INSIDE"/usr/share/man/man1/*.gz; do
        local said
        said=$(zcat "$page" | groff -man -Tutf8 -ww 2>&1 >/dev/null) && [ -z "$said" ] || {
            echo "$page: $said"
            return 1
        }
    done
}

commands_have_pages() {
    local command
    for command in $("$BINARY" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\) .*/\1/p' | grep -v '^help$'); do
        [ -e "$INSIDE/usr/share/man/man1/nightferry-$command.1.gz" ] || { echo "$command"; return 1; }
    done
}

completed_by_bash() {
    bash --norc -c '
        . "$1"
        shift
        COMP_WORDS=(nightferry "$@") COMP_CWORD=$# COMPREPLY=()
        _nightferry nightferry "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        echo "${COMPREPLY[*]}"
    ' - "$INSIDE/usr/share/bash-completion/completions/nightferry" "$@"
}

completed_by_fish() {
    fish --no-config -c "source '$INSIDE/usr/share/fish/vendor_completions.d/nightferry.fish'
        complete --do-complete 'nightferry ru'" | cut -f1 | xargs
}

policies_are_json() {
    local policy
    for policy in "$INSIDE"/usr/share/doc/nightferry/examples/iam/*.json; do
        python3 -m json.tool "$policy" >/dev/null || return 1
    done
}
