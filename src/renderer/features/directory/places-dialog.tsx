import { Modal } from '../../components/modal.tsx';
import { PlacesPicker } from './places.tsx';

export function PlacesDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal title="Open a directory" description="Folders inside the served directory." onClose={onClose}>
      <PlacesPicker />
    </Modal>
  );
}
