# What the setup commands of the shipped configurations share: places, users, files. Read with "." by configs/*/setup.
# A setup may be run again: what is there stays as it is, so that nothing that was edited is lost.

fail() {
  printf '%s: %s\n' "$command" "$1" >&2
  exit "${2:-1}"
}

say() {
  printf '%s\n' "$1"
}

# "NAMES" WORD...: sets the variables of options such as --db-port; "usage" says how it is meant
read_words() {
  known=$1
  shift
  while [ $# -gt 0 ]; do
    [ "$1" != --help ] || { say "$usage" && exit 0; }
    name=${1#--}
    case " $known " in
      *" $name "*) [ "$1" != "$name" ] || fail "unexpected $1" 64 ;;
      *) fail "unknown option $1
$usage" 64 ;;
    esac
    [ $# -ge 2 ] || fail "a value is missing behind $1" 64
    value=$2
    eval "$(printf '%s' "$name" | tr - _)=\$value"
    shift 2
  done
}

# PATH: an absolute path of signs that need no quotes, neither here nor in a configuration
plain_path() {
  case $1 in
    *[!A-Za-z0-9/._-]*) fail "the path $1 has signs other than letters, digits and /._-" 64 ;;
    /*) printf '%s\n' "$1" ;;
    *) plain_path "$(pwd)/$1" ;;
  esac
}

# NAME WHAT: a name of letters, digits and ._-
plain_name() {
  case $1 in
    '' | -* | *[!A-Za-z0-9._-]*) fail "$2 is a name of letters, digits and ._-, and not \"$1\"" 64 ;;
  esac
}

# NUMBER WHAT LEAST MOST
plain_number() {
  case $1 in
    '' | *[!0-9]* | ????????*) fail "$2 is a number, and not \"$1\"" 64 ;;
  esac
  { [ "$1" -ge "$3" ] && [ "$1" -le "$4" ]; } || fail "$2 is a number from $3 to $4, and not \"$1\"" 64
}

# Whom the server and the mailboxes belong to: who calls, or, for root, users made for it as far as there are any.
choose_users() {
  if [ "$(id -u)" -ne 0 ]; then
    server_user=${server_user:-$(id -un)}
    mail_user=${mail_user:-$(id -un)}
    [ "$mail_user $server_user" = "$(id -un) $(id -un)" ] || fail 'only root may name another user' 64
  else
    server_user=${server_user:-$(first_user Debian-exim exim mail)}
    mail_user=${mail_user:-$(first_user vmail mail)}
  fi
  [ -n "$server_user" ] || fail 'there is no user for the server: make one called exim' 1
  for each in "$server_user" "$mail_user"; do
    plain_name "$each" 'a user'
    id -u "$each" >/dev/null 2>&1 || fail "there is no user $each"
  done
  [ "$(id -u "$mail_user")" -ne 0 ] || [ "$(id -u)" -ne 0 ] || fail 'mailboxes cannot belong to root' 64
  server_group=$(id -gn "$server_user")
  mail_group=$(id -gn "$mail_user")
}

first_user() {
  for each; do
    if id -u "$each" >/dev/null 2>&1; then
      printf '%s\n' "$each"
      return
    fi
  done
}

# DIRECTORY USER GROUP MODE
make_directory() {
  [ -d "$1" ] && return
  mkdir -p "$1" && chmod "$4" "$1" || fail "cannot make $1"
  [ "$(id -u)" -ne 0 ] || chown "$2:$3" "$1"
  say "made      $1"
}

# SOURCE TARGET MODE: copies a file with the places of this setup; "places" is a script of sed
place() {
  if [ -e "$2" ]; then
    say "kept      $2"
    return
  fi
  (umask 077 && sed "$places" "$1" >"$2.new") || fail "cannot write $2"
  chmod "$3" "$2.new" || fail "cannot set the mode of $2"
  # the server reads what others may not
  if [ "$(id -u)" -eq 0 ]; then chown "root:$server_group" "$2.new"; fi
  mv "$2.new" "$2"
  say "wrote     $2"
}
