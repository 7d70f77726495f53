// The frame around everything: colors, the gate, and which page an address opens. Pages are loaded
// when they are first opened; the worklist and the recording are what most readers come for.
import { MantineProvider } from "@mantine/core";
import { lazy, Suspense } from "react";
import { BrowserRouter, Navigate, Route, Routes } from "react-router";
import { Empty, Loading } from "../ui/States";
import { may } from "./permissions";
import { Shell } from "./Shell";
import { StartFailed } from "./StartFailed";
import { GateProvider, useGate, useSession } from "./session";
import { colorSchemeInMemory, cssVariables, theme } from "./theme";

const SignInPage = lazy(() => import("../pages/sign-in/SignInPage"));
const SetupPage = lazy(() => import("../pages/sign-in/SetupPage"));
const WorklistPage = lazy(() => import("../pages/worklist/WorklistPage"));
const RecordingPage = lazy(() => import("../pages/recording/RecordingPage"));
const PatientsPage = lazy(() => import("../pages/patient/PatientsPage"));
const PatientPage = lazy(() => import("../pages/patient/PatientPage"));
const ItemsPage = lazy(() => import("../pages/items/ItemsPage"));
const UsersPage = lazy(() => import("../pages/admin/UsersPage"));
const TokensPage = lazy(() => import("../pages/admin/TokensPage"));
const AccessLogPage = lazy(() => import("../pages/admin/AccessLogPage"));
const BalancePage = lazy(() => import("../pages/admin/BalancePage"));
const OperationsPage = lazy(() => import("../pages/operations/OperationsPage"));
const SettingsPage = lazy(() => import("../pages/settings/SettingsPage"));

const schemes = colorSchemeInMemory();

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={schemes}
      defaultColorScheme="auto"
    >
      <BrowserRouter>
        <GateProvider>
          <Suspense fallback={<Loading what="page" />}>
            <Routes>
              <Route path="/setup" element={<SetupPage />} />
              <Route path="*" element={<Inside />} />
            </Routes>
          </Suspense>
        </GateProvider>
      </BrowserRouter>
    </MantineProvider>
  );
}

function Inside() {
  const { standing, ask } = useGate();
  switch (standing.kind) {
    case "asking":
      return <Loading what="workspace" />;
    case "failed":
      return <StartFailed failure={standing.failure} retry={ask} />;
    case "out":
      return <SignInPage notice={standing.notice} />;
    case "in":
      return (
        <Shell session={standing.session}>
          <Suspense fallback={<Loading what="page" />}>
            <Routes>
              <Route path="/" element={<Start />} />
              <Route path="/worklist" element={<WorklistPage />} />
              <Route path="/recordings/:id" element={<RecordingPage />} />
              <Route path="/patients" element={<PatientsPage />} />
              <Route path="/patients/:id" element={<PatientPage />} />
              <Route path="/items" element={<ItemsPage />} />
              <Route path="/users" element={<UsersPage />} />
              <Route path="/tokens" element={<TokensPage />} />
              <Route path="/access-log" element={<AccessLogPage />} />
              <Route path="/balance" element={<BalancePage />} />
              <Route path="/operations" element={<OperationsPage />} />
              <Route path="/settings" element={<SettingsPage />} />
              <Route
                path="*"
                element={
                  <Empty title="There is no such page">
                    <p>Check the address, or choose a page from the menu.</p>
                  </Empty>
                }
              />
            </Routes>
          </Suspense>
        </Shell>
      );
  }
}

/** The first page that the role has work on. */
function Start() {
  const { session } = useSession();
  if (may(session, "read-clinical")) return <Navigate to="/worklist" replace />;
  if (may(session, "read-intake")) return <Navigate to="/items" replace />;
  if (may(session, "read-access-log")) return <Navigate to="/access-log" replace />;
  return (
    <Empty title="Your role has no pages here yet">
      <p>Ask an administrator of your organization if you expected to see recordings.</p>
    </Empty>
  );
}
