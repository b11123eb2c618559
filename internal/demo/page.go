package demo

import (
	"embed"
	"html/template"
	"net"
	"net/http"
	"path"
	"strings"
)

//go:embed files
var files embed.FS

var pages = template.Must(template.ParseFS(files, "files/*.html"))

// pagePolicy is the Content-Security-Policy of the demo's own pages. What they frame and who
// frames them follows it.
const pagePolicy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "

// A Page shows two devices of the account side by side: the real page in two frames. A
// browser keeps what belongs to a device by origin, so each frame is from a port of its own.
type Page struct {
	Password string
	Port     string // of the laptop and of the page itself
	Phone    *Line  // on the phone's port
}

// Handler serves the page below /demo, and everything else by next, whose own page it lets
// be framed.
func (p *Page) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch name := strings.TrimPrefix(r.URL.Path, "/demo"); {
		case r.URL.Path == "/" || r.URL.Path == "/expensetracker.html":
			next.ServeHTTP(&framedWriter{ResponseWriter: w, ancestors: p.ancestors()}, r)
		case name == "" || name == "/":
			p.show(w, r)
		case name == "/enter":
			p.enter(w)
		case name == "/phone" && r.Method == http.MethodPost:
			p.Phone.Cut(r.URL.Query().Get("offline") == "true")
		case name == "/demo.css" || name == "/demo.js" || name == "/enter.js":
			http.ServeFileFS(w, r, files, path.Join("files", name))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// hosts are the names of this machine for itself.
var hosts = []string{"127.0.0.1", "localhost"}

// show serves the page of the demo.
func (p *Page) show(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.Host)
	if host != hosts[1] {
		host = hosts[0]
	}
	_, phone, _ := net.SplitHostPort(p.Phone.Addr().String())
	serve(w, "page.html", "frame-src 'self' "+origins(phone)+"; frame-ancestors 'none'", map[string]any{
		"Email": Email, "SecondEmail": SecondEmail, "Password": p.Password,
		"Phone": "http://" + net.JoinHostPort(host, phone), "Offline": p.Phone.IsCut(),
	})
}

// enter serves the page that signs a frame in.
func (p *Page) enter(w http.ResponseWriter) {
	serve(w, "enter.html", p.ancestors(), map[string]any{"Email": Email, "Password": p.Password})
}

func serve(w http.ResponseWriter, name, policy string, data any) {
	w.Header().Set("Content-Security-Policy", pagePolicy+policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = pages.ExecuteTemplate(w, name, data) // it fails only if the browser has gone
}

// ancestors is the directive that lets the page of the demo frame another one.
func (p *Page) ancestors() string { return "frame-ancestors " + origins(p.Port) }

func origins(port string) string {
	var all []string
	for _, host := range hosts {
		all = append(all, "http://"+net.JoinHostPort(host, port))
	}
	return strings.Join(all, " ")
}

// A framedWriter lets the page of the demo frame what is written.
type framedWriter struct {
	http.ResponseWriter
	ancestors string
	begun     bool
}

// Unwrap is for http.ResponseController.
func (w *framedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the headers, with another rule of who may frame the page.
func (w *framedWriter) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		policy := w.Header().Get("Content-Security-Policy")
		w.Header().Set("Content-Security-Policy", strings.Replace(policy, "frame-ancestors 'none'", w.ancestors, 1))
		w.Header().Del("X-Frame-Options")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write is that of the http.ResponseWriter.
func (w *framedWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}
