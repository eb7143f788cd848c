#!/bin/sh
# Installs packages of Debian, none of whose services starts: not now, which policy-rc.d refuses
# while this runs, and not with the system. Tests start what they need, and end it. To be run by root.
set -u
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
units=/etc/systemd/system

if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" || exit
fi

before=$(find "$units" -type l 2>/dev/null)
apt-get install --yes --no-install-recommends "$@" || exit
command -v systemctl > /dev/null || exit 0
find "$units" -type l 2>/dev/null | while read -r link; do
    case "$before" in
        *"$link"*) ;;
        *) systemctl disable --quiet "$(basename "$link")" 2>/dev/null ;;
    esac
done
exit 0
