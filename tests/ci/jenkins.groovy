// Runs a declarative Jenkinsfile as far as it is needed here: stages in order, `post { always }` whatever happens, `sh`
// for real, other known steps written down. Whatever is not known is an error. Exits with the code of the failed `sh`.
class Failed extends RuntimeException { int code }

class Pipeline {
    static final SECTIONS = ['pipeline', 'steps', 'stage', 'always', 'script']
    static final NOTED = ['junit', 'archiveArtifacts']
    final env = System.getenv()
    final any = 'any'
    Closure afterwards
    int code = 0

    void agent(String label) {}
    void stages(Closure body) {
        try {
            within(body)
        } catch (Throwable thrown) {
            def failed = thrown
            while (failed && !(failed instanceof Failed)) failed = failed.cause
            if (!failed) throw thrown
            code = failed.code
        }
    }
    void post(Closure body) { afterwards = body }
    void sh(String script) {
        def file = File.createTempFile('jenkins', '.sh')
        file.text = script
        def process = new ProcessBuilder('sh', '-xe', file.path).inheritIO().start()
        if (process.waitFor() != 0) throw new Failed(code: process.exitValue())
    }
    def methodMissing(String name, arguments) {
        if (name in NOTED) { println "noted: $name ${arguments[0]}"; return }
        if (!(name in SECTIONS)) throw new MissingMethodException(name, Pipeline, arguments)
        within(arguments[-1])
    }
    void within(Closure body) {
        body.delegate = this
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body()
    }
}

def pipeline = new Pipeline()
def shell = new GroovyShell(new Binding([pipeline: { Closure body ->
    pipeline.within(body)
    if (pipeline.afterwards) pipeline.within(pipeline.afterwards)
}]))
def script = shell.parse(new File(args[0]))
if (args.length > 1 && args[1] == 'parse') return
script.run()
System.out.flush()
System.exit(pipeline.code)
