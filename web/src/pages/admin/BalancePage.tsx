// The conservation equation: what was received equals what became of it, door by door.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { queries } from "../../api/queries";
import { capital } from "../../app/words";
import { Notice } from "../../ui/Notice";
import { Page, TableFrame } from "../../ui/Page";
import { Failed, Loading } from "../../ui/States";

const COLUMNS = [
  ["filed", "Filed"],
  ["linked", "Seen before"],
  ["held", "Held"],
  ["quarantined", "Quarantined"],
  ["rejected", "Rejected"],
  ["in_flight", "In flight"],
] as const;

export default function BalancePage() {
  const balance = useQuery(queries.balance());
  return (
    <Page
      title="Balance"
      about="Received = filed + seen before + held + quarantined + rejected + in flight."
      actions={
        <Button variant="default" loading={balance.isFetching} onClick={() => void balance.refetch()}>
          Count again
        </Button>
      }
    >
      {balance.isPending ? (
        <Loading what="balance" />
      ) : balance.isError ? (
        <Failed what="balance" failure={balance.error} retry={() => void balance.refetch()} />
      ) : (
        <>
          {balance.data.closes ? (
            <Notice kind="good">The balance closes: nothing is lost.</Notice>
          ) : (
            <Notice kind="bad">
              The balance does not close. Nothing was deleted, but something is unaccounted for: run{" "}
              <code>precordia audit verify</code> and tell whoever runs this server.
            </Notice>
          )}
          <TableFrame label="Balance by door">
            <thead>
              <tr>
                <th scope="col">Door</th>
                <th scope="col" className="num">
                  Received
                </th>
                {COLUMNS.map(([key, words]) => (
                  <th key={key} scope="col" className="num">
                    {words}
                  </th>
                ))}
                <th scope="col">Closes</th>
              </tr>
            </thead>
            <tbody>
              {balance.data.doors.map((door) => (
                <tr key={door.door}>
                  <td>{capital(door.door)}</td>
                  <td className="num">{door.received}</td>
                  {COLUMNS.map(([key]) => (
                    <td key={key} className="num">
                      {door[key]}
                    </td>
                  ))}
                  <td>{door.closes ? "✓ Yes" : "✗ No"}</td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        </>
      )}
    </Page>
  );
}
