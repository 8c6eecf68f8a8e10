"""Sends what comes on the link `to` back on the link `from`: python3 echo.py CLIENT ADDRESS DELIVERY"""

import asyncio
import sys

client, address, delivery = sys.argv[1:]
sys.path.insert(0, client)
import vgdc_link  # noqa: E402


async def main():
    report = lambda error: print(error, file=sys.stderr)  # noqa: E731
    connection = vgdc_link.connect(address, node="client", peer="test", report=report)
    back = connection.sender("from", delivery=delivery)

    async def handle(message, about):
        await back.send(message, trace=about["trace"])

    receiver = connection.receiver("to", handle, delivery=delivery)
    while not receiver.closed:
        await asyncio.sleep(0.01)
    await back.drained()
    await connection.close()


asyncio.run(main())
