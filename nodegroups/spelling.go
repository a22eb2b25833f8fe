package nodegroups

import "strings"

// misspelt is how many letters may be wrong, missing or too many in a name that is still recognized.
const misspelt = 2

// Misspelt says whether got is most likely a slip of the pen for want: not equal, but equal but for case, '_' in place
// of '-', or two letters.
func Misspelt(got, want string) bool {
	return got != want && absDiff(len(got), len(want)) <= misspelt && editDistance(plain(got), plain(want)) <= misspelt
}

// NearAnnotation returns the annotation (or alias) that somebody who wrote key most likely meant, and false if key is an
// annotation or looks like none. A key with one of our prefixes and an unknown rest looks like ours too; then the
// returned name is the nearest, however far.
func NearAnnotation(key string) (string, bool) {
	if annotationOf(key) != nil {
		return "", false
	}
	simple := plain(key)
	ours := hasOurPrefix(simple)
	best, distance := "", len(simple)+len(capacityPrefix)*2
	for _, n := range annotationNames {
		if !ours && (absDiff(len(simple), len(n.name)) > misspelt || !strings.Contains(n.name, "-")) {
			// Every foreign tag comes along here, so don't compute what can't be near. And words that others use as well, such as
			// schedule, have neighbours that are no slips of the pen: scheduler.
			continue
		}
		if d := editDistance(simple, plain(n.name)); d < distance {
			best, distance = n.name, d
		}
	}
	return best, ours || distance <= misspelt
}

func absDiff(a, b int) int { return max(a-b, b-a) }

// hasOurPrefix says whether a key begins as only our annotations do.
func hasOurPrefix(key string) bool {
	key = strings.TrimPrefix(key, clusterAPIPrefix)
	for _, prefix := range []string{capacityPrefix, optionsPrefix, clusterAPISizeKeys, nodeGroupKeysPrefix} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// plain takes away what is most easily confused.
func plain(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }

// editDistance counts the bytes to insert, delete or replace to make b of a (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
