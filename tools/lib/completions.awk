# A program's --help, as CLI11 writes it, to what a shell or man reads.
#   awk -v program=pipeline-run -v form=bash|zsh|fish|man -f completions.awk

function trimmed(text) {
  gsub(/^ +| +$/, "", text)
  return text
}

# "--set TEXT ...": name, what its value is called, whether it may come again.
function add(head, doc,    words, n, i) {
  n = split(head, words, " ")
  sub(/^-.,/, "", words[1])
  count++
  kind[count] = section
  name[count] = words[1]
  owner[count] = sub_command
  value[count] = ""
  again[count] = head ~ / \.\.\.( |$)/
  if (n > 1 && words[2] !~ /^(Needs:|Excludes:|REQUIRED|\.\.\.)$/) {
    value[count] = words[2]
    sub(/[:=].*/, "", value[count])
  }
  about[count] = trimmed(doc)
}

NR == 1 { title = $0; next }
/^Subcommand [a-z]+:$/ {
  sub_command = substr($2, 1, length($2) - 1)
  section = ""
  getline  # its title, which the list of subcommands has
  next
}
/^Usage: / { if (sub_command == "") usage = substr($0, 8); next }
/^(Positionals|Options|Subcommands):$/ { section = $1; blank = 0; next }
/^ *$/ {
  blank++
  if (blank > 1) section = ""
  if (section == "" && usage != "" && sub_command == "") tail = tail "\n"
  next
}
section != "" && /^  [^ ]/ {
  blank = 0
  rest = substr($0, 3)
  if (match(rest, /  +/)) add(substr(rest, 1, RSTART - 1), substr(rest, RSTART))
  else add(rest, "")
  next
}
section != "" && /^          / { about[count] = trimmed(about[count] " " trimmed($0)); next }
sub_command == "" { tail = tail $0 "\n"; section = "" }

function is_flag(i) { return kind[i] == "Options:" && name[i] ~ /^--/ }

# In single quotes of a POSIX shell.
function shell_quoted(text) {
  gsub(/'/, "'\\''", text)
  return "'" text "'"
}

function list(wanted_value,    i, out) {
  for (i = 1; i <= count; i++) {
    if (!is_flag(i) || (name[i] in seen)) continue
    if (wanted_value && value[i] == "") continue
    seen[name[i]] = 1
    out = out (out == "" ? "" : wanted_value ? "|" : " ") name[i]
  }
  delete seen
  return out
}

function subcommands(    i, out) {
  for (i = 1; i <= count; i++) {
    if (kind[i] == "Subcommands:") out = out (out == "" ? "" : " ") name[i]
  }
  return out
}

function bash(    id, with_value) {
  id = program
  gsub(/-/, "_", id)
  print "# Completion of " program " for bash, made of its --help."
  print "_" id "() {"
  print "  local current=${COMP_WORDS[COMP_CWORD]}"
  print "  local previous=${COMP_WORDS[COMP_CWORD - 1]}"
  print "  case $previous in"
  print "    --device)"
  print "      mapfile -t COMPREPLY < <(compgen -W 'auto cpu cuda' -- \"$current\")"
  print "      return ;;"
  with_value = list(1)
  if (with_value != "") {
    print "    " with_value ")"
    print "      mapfile -t COMPREPLY < <(compgen -f -- \"$current\")"
    print "      return ;;"
  }
  print "  esac"
  print "  if [[ $current == -* ]]; then"
  print "    mapfile -t COMPREPLY < <(compgen -W '" list(0) "' -- \"$current\")"
  print "  else"
  print "    mapfile -t COMPREPLY < <(compgen -f -W '" subcommands() "' -- \"$current\")"
  print "  fi"
  print "}"
  print "complete -o filenames -F _" id " " program
}

function zsh(    i, doc) {
  print "#compdef " program
  print "# Made of its --help."
  printf "_arguments -s"
  for (i = 1; i <= count; i++) {
    if (!is_flag(i) || (name[i] in seen)) continue
    seen[name[i]] = 1
    doc = about[i]
    gsub(/\[/, "\\[", doc)
    gsub(/\]/, "\\]", doc)
    doc = (again[i] ? "*" : "") name[i] "[" doc "]"
    if (value[i] != "") doc = doc ":" value[i] ":" (name[i] == "--device" ? "(auto cpu cuda)" : "_files")
    printf " \\\n  %s", shell_quoted(doc)
  }
  if (subcommands() != "") printf " \\\n  %s", shell_quoted("1:command:(" subcommands() ")")
  print " \\\n  '*:file:_files'"
}

function fish(    i, doc, line) {
  print "# Completion of " program " for fish, made of its --help."
  for (i = 1; i <= count; i++) {
    doc = about[i]
    gsub(/\\/, "\\\\", doc)
    gsub(/'/, "\\'", doc)
    line = "complete -c " program
    if (kind[i] == "Subcommands:") {
      print line " -n __fish_use_subcommand -a " name[i] " -d '" doc "'"
      continue
    }
    if (!is_flag(i)) continue
    if (owner[i] != "") line = line " -n '__fish_seen_subcommand_from " owner[i] "'"
    line = line " -l " substr(name[i], 3)
    if (name[i] == "--device") line = line " -x -a 'auto cpu cuda'"
    else if (value[i] != "") line = line " -r"
    print line " -d '" doc "'"
  }
}

function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/\n\./, "\n\\\\\\&.", text)
  gsub(/\n'/, "\n\\\\\\&'", text)
  return text ~ /^[.']/ ? "\\&" text : text
}

function entries(section_name,    i, last) {
  for (i = 1; i <= count; i++) {
    if (kind[i] != section_name || name[i] == "-h") continue
    if (owner[i] != last) print ".SS " roff(program " " owner[i])
    last = owner[i]
    print ".TP"
    print "\\fB" roff(name[i]) "\\fR" (value[i] == "" ? "" : " \\fI" roff(value[i]) "\\fR") (again[i] ? " ..." : "")
    print about[i] == "" ? "\\&" : roff(about[i])
  }
}

function man(    upper) {
  upper = toupper(program)
  print ".\\\" Made of " program " --help."
  print ".TH " roff(upper) " 1 \"\" Penstock \"User Commands\""
  print ".SH NAME"
  sub(/\.$/, "", title)
  print roff(program) " \\- " roff(tolower(substr(title, 1, 1)) substr(title, 2))
  print ".SH SYNOPSIS"
  print "\\fB" roff(usage) "\\fR"
  if (subcommands() != "") { print ".SH COMMANDS"; entries("Subcommands:") }
  print ".SH ARGUMENTS"
  entries("Positionals:")
  print ".SH OPTIONS"
  entries("Options:")
  print ".SH NOTES"
  print ".nf"
  gsub(/^\n+|\n+$/, "", tail)
  print roff(tail)
  print ".fi"
}

END {
  if (form == "bash") bash()
  else if (form == "zsh") zsh()
  else if (form == "fish") fish()
  else man()
}
