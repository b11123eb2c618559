// Package accept reads what a request says it accepts. It has the only parser of
// Accept-Encoding of this program's own.
package accept

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Encoding returns the content coding that a request prefers among the offered ones,
// "" if it wants none of them. The higher weight wins, then what the request names
// first, then what is offered first. "*" stands for codings that it does not name. A
// request that weighs identity above all of them gets none (RFC 9110, section
// 12.5.3).
func Encoding(h http.Header, offered ...string) string {
	weights, order := parse(h.Values("Accept-Encoding"))
	best, bestWeight := "", weights["identity"]
	for _, coding := range offered {
		weight, named := weights[coding]
		if !named {
			weight = weights["*"]
		}
		earlier := weight == bestWeight && weight > 0 && (best == "" || named && before(order, coding, best))
		if weight > bestWeight || earlier {
			best, bestWeight = coding, weight
		}
	}
	return best
}

// parse gives the weight of each coding that is named, and their order.
func parse(header []string) (weights map[string]float64, order []string) {
	weights = make(map[string]float64)
	for part := range strings.SplitSeq(strings.Join(header, ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" {
			continue
		}
		weights[name] = weight(params)
		order = append(order, name)
	}
	return weights, order
}

// weight reads the parameter q, which is 1 if it is not there and 0 if it is no
// number from 0 to 1.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// before reports whether a request names a, and b later or not at all.
func before(order []string, a, b string) bool {
	i, j := slices.Index(order, a), slices.Index(order, b)
	return i >= 0 && (j < 0 || i < j)
}
