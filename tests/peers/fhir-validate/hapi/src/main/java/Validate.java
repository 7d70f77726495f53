import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.hl7.fhir.common.hapi.validation.support.CachingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Validate [--expect-bad] FILE|DIRECTORY…: a line a resource, exit 1 when one has an error (or, with
 * --expect-bad, when one has none), 2 when there was nothing to validate. Warnings (no narrative,
 * LOINC not at hand) are not errors.
 */
public class Validate {
    public static void main(String[] arguments) throws IOException {
        List<String> paths = new ArrayList<>(List.of(arguments));
        boolean expectBad = paths.remove("--expect-bad");
        Map<String, String> resources = new TreeMap<>();
        for (String path : paths) {
            collect(Path.of(path), resources);
        }
        FhirValidator validator = validator();
        int unexpected = 0;
        for (Map.Entry<String, String> resource : resources.entrySet()) {
            List<String> errors = errors(validator, resource.getValue());
            if (errors.isEmpty() == expectBad) {
                unexpected += 1;
            }
            System.out.println((errors.isEmpty() ? "ok  " : "BAD ") + resource.getKey());
            errors.forEach(error -> System.out.println("    hapi: " + error));
        }
        System.out.printf(
                "%d resources, %d %s errors%n",
                resources.size(), unexpected, expectBad ? "without" : "with");
        System.exit(unexpected > 0 ? 1 : resources.isEmpty() ? 2 : 0);
    }

    private static void collect(Path path, Map<String, String> found) throws IOException {
        String name = path.toString();
        if (Files.isDirectory(path)) {
            try (var members = Files.list(path)) {
                for (Path member : members.toList()) {
                    collect(member, found);
                }
            }
        } else if (name.endsWith(".ndjson")) {
            int line = 0;
            for (String text : Files.readAllLines(path)) {
                line += 1;
                if (!text.isBlank()) {
                    found.put(String.format("%s:%04d", name, line), text);
                }
            }
        } else if (name.endsWith(".json")) {
            found.put(name, Files.readString(path));
        }
    }

    private static FhirValidator validator() {
        FhirContext context = FhirContext.forR4();
        var support =
                new ValidationSupportChain(
                        new DefaultProfileValidationSupport(context),
                        new CommonCodeSystemsTerminologyService(context),
                        new InMemoryTerminologyServerValidationSupport(context),
                        new UnknownCodeSystemWarningValidationSupport(context));
        FhirValidator validator = context.newValidator();
        validator.registerValidatorModule(
                new FhirInstanceValidator(new CachingValidationSupport(support)));
        return validator;
    }

    private static List<String> errors(FhirValidator validator, String text) {
        return validator.validateWithResult(text).getMessages().stream()
                .filter(m -> m.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0)
                .map(m -> m.getLocationString() + ": " + m.getMessage())
                .toList();
    }
}
