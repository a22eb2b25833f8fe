package simulator

import "strings"

// hostName is what Nova calls a machine of this name inside: blanks and dots become dashes, one for one, what no host name may
// have is left out. (Zed; nova/utils.py, sanitize_hostname. Letters beyond ASCII, which Nova keeps, are left out here.)
func hostName(serverName string) string {
	name := []rune(serverName)
	if len(name) > 63 {
		name = name[:63]
	}
	keep := func(c rune) rune {
		switch {
		case c == ' ' || c == '_' || c == '.':
			return '-'
		case c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			return c
		}
		return -1
	}
	return strings.Trim(strings.ToLower(strings.Map(keep, string(name))), "-")
}
