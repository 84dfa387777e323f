"""``python manage.py mirror``: for cron, or after an import."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from IndexedRedis import MirrorError
from shop.catalogue import mirror


class Command(BaseCommand):
    """Copy the catalogue from SQL to Redis. An error changes nothing."""

    help = 'Copy the catalogue from SQL to Redis, in one swap.'

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            '--dry-run', action='store_true', help='check everything, write nothing'
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the mirror, and print its report."""
        try:
            report = mirror.run(dryRun=options['dry_run'])
        except MirrorError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(report))
