"""A driver whose volumes hold nothing. Cinder's own fake driver would still copy an image into a volume that boots a server."""
from cinder.tests import fake_driver


class Driver(fake_driver.FakeLoggingVolumeDriver):
    def clone_image(self, context, volume, image_location, image_meta, image_service):
        return {}, True  # as if the storage had made the copy itself

    def copy_image_to_volume(self, *args, **kwargs):
        pass

    def extend_volume(self, *args, **kwargs):
        pass
