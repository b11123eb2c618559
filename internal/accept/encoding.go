// Package accept negotiates the content coding of a response by Accept-Encoding (RFC
// 9110, section 12.5.3).
package accept

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Encoding returns the offered content coding that the request prefers, "" for none. The
// highest weight wins, then the order in the request, then the order of offered. "*"
// stands for codings that the request does not name. If identity has the highest weight,
// the result is "".
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

// parse returns the weights of the named codings and their order.
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

// weight returns the parameter q: 1 if it is absent, 0 if it is not a number from 0 to 1.
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

// before reports whether order contains a, and b after it or not at all.
func before(order []string, a, b string) bool {
	i, j := slices.Index(order, a), slices.Index(order, b)
	return i >= 0 && (j < 0 || i < j)
}
